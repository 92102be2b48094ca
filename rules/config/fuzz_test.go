package config

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{testFolder + "/good/*.yaml", testFolder + "/bad/*.yaml", exampleFile} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds %s: %v", pattern, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add([]byte(strings.ReplaceAll(string(source), canary, "hidden")))
		}
	}
	env := func(string) (string, bool) { return canary, true }
	readFile := func(string) ([]byte, error) { return []byte(canary), nil }
	f.Fuzz(func(t *testing.T, source []byte) {
		config, err := Parse("config.yaml", source, env, readFile)
		text := ""
		if err != nil {
			text = err.Error()
		} else {
			text = config.Summary()
		}
		if strings.Contains(text, canary) && !strings.Contains(string(source), canary) {
			t.Errorf("shows the secret that a reference refers to:\n%s", text)
		}
		if err != nil && !strings.HasPrefix(text, "config.yaml:") {
			t.Errorf("does not begin with the file: %s", text)
		}
	})
}

func FuzzValuesThatMayBeSecretsStayHidden(f *testing.F) {
	for _, seed := range []string{"", "*", "&", "!", "whsec_", "env", "https://user:", "a\nb", "{", "\x00", "${", "user@", "unix:", "::"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, value := range []string{text + canary, canary + text} {
			if strings.HasPrefix(value, "env:") || strings.HasPrefix(value, "file:") || strings.HasPrefix(value, "unix:") {
				continue // a reference, which is shown
			}
			bare := strings.ReplaceAll(value, "\n", " ") // further lines can be keys, which are shown
			for _, written := range []string{bare, strconv.Quote(value), strconv.Quote("https://user:" + value + "@crm.example.org/")} {
				checkHidden(t, "admin_token: "+written+"\n")
				checkHidden(t, "app: "+written+"\n")
				checkHidden(t, "targets:\n  crm:\n    url: "+written+"\n    secret: "+written+"\n    headers: {X-A: "+written+"}\n")
				checkHidden(t, "targets:\n  crm:\n    secret: ["+written+", "+written+"]\n    tls: {verify: false}\n")
			}
		}
	})
}

func checkHidden(t *testing.T, source string) {
	t.Helper()
	none := func(string) (string, bool) { return "", false }
	_, err := Parse("config.yaml", []byte(source), none, func(string) ([]byte, error) { return nil, os.ErrNotExist })
	if err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("shows a value that may be a secret:\n%s\n%v", source, err)
	}
}
