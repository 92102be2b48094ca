package sample

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/receive"
	"github.com/sidehook/sidehook/rules/config"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// target is a receiver that verifies what comes, and a configuration with it as crm
// in a format, and with a rule for completions alone.
type target struct {
	t      *testing.T
	config string
	mu     sync.Mutex
	got    []string
	// status is that of its answers, which have a text that moves the cursor.
	status int
}

func newTarget(t *testing.T, format config.Format) *target {
	t.Helper()
	r := &target{t: t, status: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(server.Close)
	t.Setenv("SAMPLE_SECRET", secret)
	r.config = filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf("app: http://127.0.0.1:5000\nstate: %s\ntargets:\n  crm: {url: '%s', secret: env:SAMPLE_SECRET, format: %s}\nrules:\n  - {on: [completion], to: [crm]}\n", t.TempDir(), server.URL, format)
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *target) serve(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	verified := receive.Verify(request.Header, body, config.NewSecret(secret), time.Now())
	summary := receive.Summarise(body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, fmt.Sprint(summary.Event, ", ", summary.Way, ", test ", request.Header.Get("webhook-test"), ", ", verified))
	w.WriteHeader(r.status)
	fmt.Fprint(w, "an answer\x1b[2J")
}

// run runs the command and returns what it printed.
func (r *target) run(args ...string) (printed string, err error) {
	r.t.Helper()
	var out bytes.Buffer
	cmd := Command("test")
	cmd.SetArgs(append(args, "--config", r.config))
	cmd.SetOut(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(r.t.Context())
	return out.String(), err
}

func TestSampleArrivesSignedInEachFormat(t *testing.T) {
	for format, want := range map[config.Format]string{
		config.FormatStandard:    "completion, Remarks → end, test true, <nil>",
		config.FormatCloudEvents: "completion, Remarks → end, test true, <nil>",
		config.FormatDecsys:      "page_navigation, page 2 → 3, test true, <nil>",
	} {
		r := newTarget(t, format)
		printed, err := r.run("crm")
		if err != nil || len(r.got) != 1 || r.got[0] != want {
			t.Errorf("%s: %v, got %q, want %q", format, err, r.got, want)
		}
		if !strings.HasPrefix(printed, "✓ completion (msg_") || !strings.Contains(printed, "crm answered with status 200 after ") || !strings.Contains(printed, "\nan answer\\u001b[2J\n") {
			t.Errorf("%s: printed %q", format, printed)
		}
	}
}

func TestOtherEventsCanBeSent(t *testing.T) {
	r := newTarget(t, config.FormatStandard)
	for _, name := range Names {
		if _, err := r.run("crm", "--event", string(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(r.got) != len(Names) || !strings.HasPrefix(r.got[0], "page_navigation, Consent → Remarks") {
		t.Errorf("got %q", r.got)
	}
}

func TestTargetThatRefusesFailsTheCommand(t *testing.T) {
	r := newTarget(t, config.FormatStandard)
	r.status = http.StatusServiceUnavailable
	printed, err := r.run("crm")
	if err == nil || !strings.HasPrefix(printed, "✗ completion") || !strings.Contains(printed, "status 503") {
		t.Errorf("%v, printed %q", err, printed)
	}
	if printed, err := r.run("crm", "--json"); err == nil || !strings.Contains(printed, `"status":503`) || !strings.Contains(printed, `"outcome":"retry"`) {
		t.Errorf("--json: %v, printed %q", err, printed)
	}
}

func TestEventsOfAHARFileAreThoseThatARuleSends(t *testing.T) {
	r := newTarget(t, config.FormatStandard)
	files, err := filepath.Glob("../../rules/recordings/data/*.har.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	packed, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	content, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	har, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "session.har")
	if err := os.WriteFile(path, har, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.run("crm", "--from", path); err != nil {
		t.Fatal(err)
	}
	if len(r.got) == 0 {
		t.Error("nothing was sent")
	}
	for _, got := range r.got {
		if !strings.HasPrefix(got, "completion, ") || !strings.HasSuffix(got, "test true, <nil>") {
			t.Errorf("got %q", got)
		}
	}
}

func TestSendRefusesWhatItDoesNotKnow(t *testing.T) {
	r := newTarget(t, config.FormatStandard)
	empty := filepath.Join(t.TempDir(), "empty.har")
	if err := os.WriteFile(empty, []byte(`{"log":{"entries":[{"startedDateTime":"2026-11-24T12:00:00Z","time":1,"request":{"method":"GET","url":"http://a/b","headers":[]},"response":{"status":200,"headers":[],"content":{}}}]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(want string, args ...string) {
		t.Helper()
		if _, err := r.run(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
	f("name one target")
	f(`there is no target "erp"; there are crm`, "erp")
	f(`there is no sample of an event "nosuch"; there are page_navigation, completion, started, abandoned`, "crm", "--event", "nosuch")
	r.config = newTarget(t, config.FormatDecsys).config
	f("target crm has format decsys, which has no words for abandoned", "crm", "--event", "abandoned")
	f("cannot open the HAR file", "crm", "--from", "nosuch.har")
	f("has no event that a rule sends to crm", "crm", "--from", empty)
	if len(r.got) != 0 {
		t.Errorf("sent %q", r.got)
	}
}
