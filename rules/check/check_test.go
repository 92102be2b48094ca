package check

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	good = "{app: 'http://a', targets: {a: {url: 'http://b', secret: env:CHECK_SECRET}}, rules: [{to: [a]}]}"
	bad  = "app: 1"
)

func TestStateIsCheckedAlone(t *testing.T) {
	if out, failure := check(t, "", "--state", "/somewhere", "--json"); out != "the state in /somewhere true\n" || failure != "" {
		t.Errorf("%q, %q", out, failure)
	}
	if _, failure := check(t, "", "config.yaml", "--state", "/somewhere"); !strings.Contains(failure, "one state directory") {
		t.Errorf("with a configuration: %q", failure)
	}
}

// check runs the command and returns its output and the text of its error.
func check(t *testing.T, stdin string, args ...string) (stdout, failure string) {
	t.Helper()
	command := Command(func(path string, out io.Writer, asJSON bool) error {
		fmt.Fprintln(out, "the state in", path, asJSON)
		return nil
	}, func(context.Context, *config.Config, *rules.Profile) []Finding {
		return []Finding{{Good, "state", "written", ""}, {Verdict(probed), "app", "no answer", "start it"}}
	}, func(_ context.Context, r *config.Replicas) []Finding {
		return []Finding{{Good, "replicas " + r.App, "connected", ""}, {Verdict(probed), "replicas " + r.App, "this is one server", ""}}
	})
	command.SilenceErrors, command.SilenceUsage = true, true
	var out bytes.Buffer
	command.SetIn(strings.NewReader(stdin))
	command.SetOut(&out)
	command.SetErr(&out)
	command.SetArgs(append([]string{}, args...)) // nil would mean those of the test itself
	if err := command.ExecuteContext(t.Context()); err != nil {
		failure = err.Error()
	}
	return out.String(), failure
}

// files writes a good and a bad configuration, and changes to their folder.
func files(t *testing.T) {
	t.Helper()
	t.Setenv("CHECK_SECRET", "a secret that is not shown")
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{"good.yaml": good, "bad.yaml": bad, "config.yaml": good} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCheckSaysWhatAGoodFileDoesAndWhatIsWrongWithABadOne(t *testing.T) {
	files(t)
	f := func(stdin string, args []string, wantOut, wantErr string) {
		t.Helper()
		out, failure := check(t, stdin, args...)
		if (wantErr == "") != (failure == "") || !strings.Contains(failure, wantErr) || !strings.Contains(out, wantOut) {
			t.Errorf("%q: %q and %q, want %q and %q", args, out, failure, wantOut, wantErr)
		}
		if strings.Contains(out, "not shown") {
			t.Errorf("%q shows a secret:\n%s", args, out)
		}
	}
	f("", []string{"good.yaml"}, "a: http://b, format decsys", "")
	f("", nil, "a: http://b, format decsys", "")
	f("", []string{"--config", "good.yaml"}, "a: http://b, format decsys", "")
	f("", []string{"bad.yaml"}, "", "bad.yaml:1:6: app: must be")
	f("", []string{"none.yaml"}, "", "cannot read the configuration: stat none.yaml")
	f("", []string{"good.yaml", "bad.yaml"}, "good.yaml: ok\n\nparticipants", "bad.yaml:1:6: app: must be")
	f("", []string{"--config", "bad.yaml", "good.yaml"}, "bad.yaml: has problems\n\ngood.yaml: ok", "bad.yaml:1:6: app: must be")
	f(good, []string{"-"}, "a: http://b, format decsys", "")
	f(bad, []string{"-"}, "", "stdin:1:6: app: must be")
}

func TestCheckPrintsJSON(t *testing.T) {
	files(t)
	out, failure := check(t, "", "--json", "good.yaml", "bad.yaml")
	var results []result
	if err := json.Unmarshal([]byte(out), &results); err != nil || len(results) != 2 || failure == "" {
		t.Fatalf("%s: %v, %q", out, err, failure)
	}
	if first := results[0]; !first.OK || first.File != "good.yaml" || first.Summary == "" || first.Problems != nil {
		t.Errorf("got %+v", first)
	}
	if second := results[1]; second.OK || second.File != "bad.yaml" || len(second.Problems) != 3 || !strings.HasPrefix(second.Problems[2], "bad.yaml:1:6: app: must be") {
		t.Errorf("got %+v", second)
	}
}

// probed is the verdict of a probe in tests.
var probed = Good

func TestProbesFailTheCheck(t *testing.T) {
	files(t)
	f := func(verdict Verdict, wantOut, wantErr string, args ...string) {
		t.Helper()
		probed = verdict
		out, failure := check(t, "", args...)
		if !strings.Contains(out, wantOut) || (failure != "") != (wantErr != "") || !strings.Contains(failure, wantErr) {
			t.Errorf("%q with %s: %q and %q, want %q and %q", args, verdict, out, failure, wantOut, wantErr)
		}
		if isAsked := len(args) > 0 && args[0] == "--probe"; strings.Contains(out, "written") != isAsked {
			t.Errorf("%q: %s", args, out)
		}
	}
	f(Doubtful, "\n\n✓ state: written\n! app: no answer; start it\n", "", "--probe")
	f(Bad, "✗ app: no answer; start it\n", "not everything is there", "--probe")
	f(Bad, `{"verdict":"failed","what":"app","why":"no answer","todo":"start it"}`, "not everything is there", "--probe", "--json")
	f(Bad, "", "must be", "--probe=false", "bad.yaml")
	f(Bad, "format decsys", "", "good.yaml")
}

func TestWhatIsWrongWithTheServersOfReplicasIsAWarning(t *testing.T) {
	files(t)
	f := func(verdict Verdict, source, want string) {
		t.Helper()
		probed = verdict
		out, failure := check(t, source, "-")
		if failure != "" || strings.Contains(out, "one server") != (want != "") || !strings.Contains(out, want) {
			t.Errorf("%s: %q, %q; want %q", verdict, out, failure, want)
		}
	}
	several := strings.Replace(good, "{app:", "{replicas: nats://127.0.0.1:1/decsys, app:", 1)
	f(Bad, several, "warning: replicas decsys: this is one server")
	f(Doubtful, several, "warning: replicas decsys: this is one server")
	f(Good, several, "")
	f(Bad, good, "")
}

func TestTheExampleConfigurationIsGood(t *testing.T) {
	for _, name := range []string{"SIDEHOOK_ADMIN_TOKEN", "CRM_SECRET", "CRM_SECRET_OLD", "ARCHIVE_SECRET", "PSEUDONYM_KEY"} {
		t.Setenv(name, "a secret of "+name)
	}
	out, failure := check(t, "", filepath.Join("..", "..", "config.example.yaml"))
	if failure != "" {
		t.Fatal(failure)
	}
	if !strings.Contains(out, "https://crm.example.org") || strings.Contains(out, "a secret of") {
		t.Errorf("the summary lacks a target, or shows a secret:\n%s", out)
	}
}

func TestAFormatThatHasNoPlaceForWhatTheAppHasIsAWarning(t *testing.T) {
	files(t)
	f := func(profile, format string, want bool) {
		t.Helper()
		config := strings.Replace(good, "secret: env:CHECK_SECRET", "secret: env:CHECK_SECRET, format: "+format, 1)
		out, failure := check(t, strings.Replace(config, "{app:", "{profile: "+profile+", app:", 1), "-")
		if failure != "" || strings.Contains(out, "no place for what") != want {
			t.Errorf("%s with format %s: %q, %q; want a warning: %v", profile, format, out, failure, want)
		}
	}
	f("decsys", "decsys", false)
	f("limesurvey", "decsys", true)
	f("limesurvey", "standard", false)
}
