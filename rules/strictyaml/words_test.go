package strictyaml

import (
	"strings"
	"testing"
)

func TestDidYouMeanSuggestsTheNearestWord(t *testing.T) {
	words := []string{"listen", "admin", "admin_token", "app", "state", "on", "to"}
	f := func(text, want string) {
		t.Helper()
		got := DidYouMean(text, words)
		if want != "" {
			want = `; did you mean "` + want + `"?`
		}
		if got != want {
			t.Errorf("%s: %s; want %s", text, got, want)
		}
	}

	f("lisen", "listen")
	f("Listen", "listen")
	f("ilsten", "listen") // swapped
	f("admintoken", "admin_token")
	f("amdin", "admin")
	f("ap", "app")
	f("no", "on")
	f("tos", "to")
	// nothing near
	f("", "")
	f("x", "")
	f("colour", "")
	f(strings.Repeat("listen", 1000), "")
	f("ünïcödé", "")
}

func TestWordsOfYAML11GetAHint(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		var into struct {
			On      string `yaml:"on"`
			No      string `yaml:"no"`
			Enabled bool   `yaml:"enabled"`
		}
		if err := Decode("f.yaml", []byte(source), &into).Err(); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", source, err, want)
		}
	}

	f("true: x", `unknown key; did you mean "on"? Tools for YAML 1.1 turn it into true unless it is in quotes`)
	f("false: x", `unknown key; did you mean "no"? Tools for YAML 1.1 turn it into false unless it is in quotes`)
	f("enabled: yes", `not "yes"; did you mean true?`)
	f("enabled: Off", `not "Off"; did you mean false?`)
	f("enabled: 'true'", `not "true"; did you mean true?`)
	f("enabled: 1", `not "1"`)
}
