package demo

import (
	"os"
	"strings"
	"testing"

	sidehookconfig "github.com/sidehook/sidehook/rules/config"
)

func TestConfigurationIsValidWhateverTheFlags(t *testing.T) {
	f := func(to ownTarget, targets int) {
		t.Helper()
		source := configuration{"127.0.0.1:0", "127.0.0.1:0", "http://127.0.0.1:1", "/tmp/a folder", "http://127.0.0.1:2", to}
		env := func(string) (string, bool) { return "whsec_" + strings.Repeat("A", 32), true }
		parsed, err := sidehookconfig.Parse("demo.yaml", []byte(source.yaml(false)), env, os.ReadFile)
		if err != nil {
			t.Fatal(err)
		}
		if len(parsed.Targets) != targets || string(parsed.Targets["receiver"].Format) != to.format {
			t.Errorf("%+v: targets %v", to, parsed.Targets)
		}
		if shown := source.yaml(true); strings.Contains(shown, "token") {
			t.Errorf("%+v: it shows a credential:\n%s", to, shown)
		}
	}
	f(ownTarget{format: "standard"}, 1)
	f(ownTarget{format: "decsys", url: "http://user:token@localhost:3000/token?a=token, b"}, 2)
	f(ownTarget{format: "cloudevents", url: "https://crm.example.org/token", secret: "env:A_SECRET"}, 2)
}
