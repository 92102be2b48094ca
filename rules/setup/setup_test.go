package setup

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules/check"
)

// decsys answers as Decsys does.
func decsys(_ context.Context, _, path string) (int, string, []byte, error) {
	if path == "/version" {
		return 200, "application/json; charset=utf-8", []byte(`"2.6.0"`), nil
	}
	return 200, "text/html", nil, nil
}

func nobody(context.Context, string, string) (int, string, []byte, error) {
	return 0, "", nil, errors.New("connection refused")
}

// initialise runs the command without a terminal.
func initialise(t *testing.T, get Get, args ...string) (printed string, err error) {
	t.Helper()
	command := Command(get)
	command.SilenceErrors, command.SilenceUsage = true, true
	var out bytes.Buffer
	command.SetOut(&out)
	command.SetIn(strings.NewReader(""))
	command.SetArgs(args)
	err = command.Execute()
	return out.String(), err
}

// checked fails the test unless `sidehook check` has nothing to say against a file.
func checked(t *testing.T, path string) {
	t.Helper()
	command := check.Command(nil, nil, nil)
	var out bytes.Buffer
	command.SetOut(&out)
	command.SetErr(&out)
	command.SetArgs([]string{path})
	if err := command.Execute(); err != nil || strings.Contains(out.String(), "warning") {
		t.Errorf("check: %v\n%s", err, out.String())
	}
}

func TestWhatIsWrittenPassesCheckWithoutWarnings(t *testing.T) {
	f := func(name, want string, args ...string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "config.yaml")
		printed, err := initialise(t, decsys, append(args, "--output", path)...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		checked(t, path)
		source, _ := os.ReadFile(path)
		if !strings.Contains(string(source), want) || !strings.Contains(printed, "profile decsys, release 2.6.0") {
			t.Errorf("%s: printed\n%s\nand wrote\n%s", name, printed, source)
		}
		for _, file := range []string{path, filepath.Join(filepath.Dir(path), secretName)} {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %s: %v, %v", name, file, info, err)
			}
		}
	}
	f("the least", "on: [page_navigation, completion]\n", "--app", "http://127.0.0.1:5000", "--to", "https://crm.example.org/hooks")
	f("all flags", "on: [completion]\n", "--app", "http://127.0.0.1:5000", "--to", "http://crm:80/?a={b},c", "--profile", "limesurvey", "--on", "completion", "--state", "a folder", "--yes")
	f("an app at sidehook's own port", "listen: :8081\n", "--app", "http://127.0.0.1:8080", "--to", "https://crm.example.org")
}

func TestNothingIsWrittenThatWouldBeWrong(t *testing.T) {
	f := func(name, want string, args ...string) {
		t.Helper()
		folder := t.TempDir()
		_, err := initialise(t, nobody, append(args, "--output", filepath.Join(folder, "config.yaml"))...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "credential") {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if left, _ := os.ReadDir(folder); len(left) > 0 {
			t.Errorf("%s: it leaves %v", name, left)
		}
	}
	f("no app", "--app is missing")
	f("no target", "--to is missing", "--app", "http://127.0.0.1:5000")
	f("no URL", "targets.receiver.url", "--app", "http://127.0.0.1:5000", "--to", "crm/credential")
	f("no such profile", "no-such", "--app", "http://127.0.0.1:5000", "--to", "http://crm", "--profile", "no-such")
	f("no such event", "completed", "--app", "http://127.0.0.1:5000", "--to", "http://crm", "--on", "completed")
}

func TestAFileIsReplacedOnlyByForceAndASecretNever(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	secretPath := filepath.Join(filepath.Dir(path), secretName)
	args := []string{"--app", "http://127.0.0.1:5000", "--to", "http://crm", "--output", path}
	if _, err := initialise(t, nobody, args...); err != nil {
		t.Fatal(err)
	}
	secret, _ := os.ReadFile(secretPath)
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := initialise(t, nobody, args...); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("it replaces a file: %v", err)
	}
	if content, _ := os.ReadFile(path); string(content) != "mine" {
		t.Errorf("the file is now %s", content)
	}
	if _, err := initialise(t, nobody, append(args, "--force")...); err != nil {
		t.Error(err)
	}
	checked(t, path)
	if now, _ := os.ReadFile(secretPath); !bytes.Equal(now, secret) {
		t.Error("the secret was replaced")
	}
}

// typing is a terminal at which somebody types.
type typing struct{ io.Reader }

func (typing) IsTerminal() bool { return true }

func TestQuestionsAreAskedAtATerminal(t *testing.T) {
	command := Command(decsys)
	command.SilenceErrors, command.SilenceUsage = true, true
	var out bytes.Buffer
	command.SetOut(&out)
	command.SetIn(typing{strings.NewReader("\n")})
	command.SetArgs([]string{"--output", filepath.Join(t.TempDir(), "config.yaml")})
	if err := command.Execute(); err == nil || !strings.Contains(out.String(), "Where does the app listen?") {
		t.Errorf("%v, printed\n%s", err, out.String())
	}
}

func TestQuestionsAreAskedForWhatNoFlagSays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	ask := func(typed string) (string, error) {
		var out bytes.Buffer
		s := &setup{output: path, get: decsys, in: bufio.NewReader(strings.NewReader(typed)), out: &out}
		err := s.run(t.Context())
		return out.String(), err
	}
	printed, err := ask("\n\nhttp://127.0.0.1:8787/hooks\ncompletion, page_navigation\n\n")
	if err != nil || strings.Count(printed, "? ") < 5 || !strings.Contains(printed, "listen --port 8787") {
		t.Errorf("%v, printed\n%s", err, printed)
	}
	checked(t, path)
	if _, err := ask("\n"); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("it replaces a file without a yes: %v", err)
	}
	if _, err := ask("yes\n\n\n"); err == nil || !strings.Contains(err.Error(), "the answers ended") {
		t.Errorf("answers that end: %v", err)
	}
}
