package trial

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// nothing is the preview of a configuration without deliveries.
func nothing(*config.Config) Preview {
	return func(rules.Key, *rules.Event, func(target, rule, contentType string, body []byte)) {}
}

// try runs the command and returns its output and the text of its error.
func try(t *testing.T, stdin string, args ...string) (stdout, failure string) {
	t.Helper()
	command := Command(nothing)
	command.SilenceErrors, command.SilenceUsage = true, true
	var out bytes.Buffer
	command.SetIn(strings.NewReader(stdin))
	command.SetOut(&out)
	command.SetErr(&out)
	command.SetArgs(args)
	if err := command.ExecuteContext(t.Context()); err != nil {
		failure = err.Error()
	}
	return out.String(), failure
}

func TestTryReportsWhatIsWrongWithAFile(t *testing.T) {
	dir := t.TempDir()
	har, config := filepath.Join(dir, "a.har"), filepath.Join(dir, "config.yaml")
	f := func(content, configuration, want string) {
		t.Helper()
		for path, text := range map[string]string{har: content, config: configuration} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, args := range [][]string{{har, config}, {har, "--config", config}, {"--json", har, config}} {
			if out, failure := try(t, "", args...); !strings.Contains(failure, want) || out != "" {
				t.Errorf("%q: %q and %q, want %q", content, out, failure, want)
			}
		}
	}
	const good = "{app: 'http://a', targets: {a: {url: 'http://b', secret: env:NOT_SET}}, rules: [{to: [a]}]}"
	f("<html>", good, "a.har: cannot read the HAR file: it is not JSON: line 1: ")
	f("{}", good, "it has no log.entries, so it is not a HAR file; save one in the network panel")
	f(`{"log":{"entries":[]}}`, good, "it has no entries; open the developer tools before")
	f("{}", "rulse: []", `config.yaml:1:1: rulse: unknown key; did you mean "rules"?`)
	f("{}", strings.Replace(good, "app:", "profile: ./none.yaml, app:", 1), "none.yaml cannot be read")
}

func TestTryNeedsOneFileAndAtMostOneConfiguration(t *testing.T) {
	for _, args := range [][]string{{}, {"--json"}, {"a.har", "b.yaml", "c.yaml"}, {"a.har", "b.yaml", "--config", "c.yaml"}} {
		if _, failure := try(t, "", args...); !strings.Contains(failure, "name a HAR file") {
			t.Errorf("%q: %q", args, failure)
		}
	}
	if _, failure := try(t, "", filepath.Join(t.TempDir(), "none.har")); !strings.Contains(failure, "cannot open the HAR file") {
		t.Errorf("a file that is not there: %q", failure)
	}
}

func TestTextOfARecordingCannotControlTheTerminal(t *testing.T) {
	session, err := os.ReadFile("testdata/session-chrome.har")
	if err != nil {
		t.Fatal(err)
	}
	hostile := strings.ReplaceAll(string(session), "breakfast", "a\u202eb\u009b2J")
	if hostile == string(session) {
		t.Fatal("the recording does not name the survey that this test renames")
	}
	got, failure := try(t, hostile, "-", "testdata/config.yaml")
	if failure != "" || !strings.Contains(got, `a\u202eb`) || strings.ContainsAny(got, "\u202e\u009b") {
		t.Errorf("%q (%s)", got, failure)
	}
}

func TestTryReadsStandardInput(t *testing.T) {
	session, err := os.ReadFile("testdata/session-chrome.har")
	if err != nil {
		t.Fatal(err)
	}
	want, failure := try(t, "", "testdata/session-chrome.har")
	if failure != "" {
		t.Fatal(failure)
	}
	if got, failure := try(t, string(session), "-"); failure != "" || got != want {
		t.Errorf("%q, want %q (%s)", got, want, failure)
	}
}
