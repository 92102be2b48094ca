package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// loadText loads source from a real file in a folder with other files.
func loadText(t *testing.T, source string, files map[string]string) (*Config, error) {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(folder, "config.yaml")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

const loadable = `
app: http://127.0.0.1:5000
targets:
  crm: {url: https://crm.example.org/, secret: [env:SIDEHOOK_TEST_SECRET, "file:secret"]}
rules: [{to: [crm]}]
`

func TestSecretsAreReadFromTheEnvironmentAndFiles(t *testing.T) {
	t.Setenv("SIDEHOOK_TEST_SECRET", canary+" of the environment")
	config, err := loadText(t, loadable, map[string]string{"secret": canary + " of a file\n"})
	if err != nil {
		t.Fatal(err)
	}
	secrets := config.Targets["crm"].Secret
	if secrets[0].Reveal() != canary+" of the environment" || secrets[1].Reveal() != canary+" of a file" {
		t.Errorf("secrets are %q and %q", secrets[0].Reveal(), secrets[1].Reveal())
	}
}

func TestHeaderIsTextOrRefersToASecret(t *testing.T) {
	t.Setenv("SIDEHOOK_TEST_SECRET", canary)
	source := strings.Replace(loadable, "crm: {", `crm: {headers: {apikey: env:SIDEHOOK_TEST_SECRET, x-file: "file:secret", X-Text: "environment: test", X-Number: 7}, `, 1)
	config, err := loadText(t, source, map[string]string{"secret": canary + " of a file\n"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"apikey": canary, "x-file": canary + " of a file", "X-Text": "environment: test", "X-Number": "7"} {
		if got := config.Targets["crm"].Headers[name].Reveal(); got != want {
			t.Errorf("%s: value %q, want %q", name, got, want)
		}
	}
}

func TestAFileThatCannotBeReadIsNamed(t *testing.T) {
	folder := t.TempDir()
	f := func(path, want string) {
		t.Helper()
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", path, err, want)
		}
	}
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}

	f(filepath.Join(folder, "missing.yaml"), "cannot read the configuration: stat "+folder+"/missing.yaml: no such file")
	f(folder, "is not a regular file")
	f(write("large.yaml", strings.Repeat("#", strictyaml.MaxSource+1)), "has more than 1048576 bytes")

	// reading a pipe would never end
	pipe := filepath.Join(folder, "pipe.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	f(pipe, "is not a regular file")
	f(write("config.yaml", strings.ReplaceAll(loadable, "file:secret", "file:pipe.yaml")), "pipe.yaml cannot be read: is not a regular file")

	// all problems, with their positions
	f(filepath.Join(folder, "config.yaml"), "config.yaml:4:49: targets.crm.secret[0]: the environment variable SIDEHOOK_TEST_SECRET is not set")
}

func TestAConfigurationMayBeALinkAsInKubernetes(t *testing.T) {
	t.Setenv("SIDEHOOK_TEST_SECRET", canary)
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "..data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"config.yaml": loadable, "secret": canary} {
		if err := os.WriteFile(filepath.Join(folder, "..data", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Load(filepath.Join(folder, "config.yaml")); err != nil {
		t.Error(err)
	}
}

func TestThePathOfAFileIsShownOnOneLine(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		if got := shownPath(path); got != want {
			t.Errorf("%q: %s; want %s", path, got, want)
		}
	}

	f("/run/secrets/crm@prod", "/run/secrets/crm@prod")
	f("/run/two words", "/run/two words")
	f("/run/two\nlines", `"/run/two\nlines"`)
	f(strings.Repeat("x", maxShownPath+1), `"`+strings.Repeat("x", maxShownPath)+`"...`)
}
