package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/pipeline"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/recordings"
	"github.com/sidehook/sidehook/rules/trial"
)

// patience bounds every wait of a test; none should take nearly as long.
const patience = 10 * time.Second

// TestMain lets the tests run this program as another process, which they can kill.
func TestMain(m *testing.M) {
	if os.Getenv("SIDEHOOK_TEST_RUN") != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestEveryRecordingYieldsItsWebhooks(t *testing.T) {
	for _, name := range recordings.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, name)
			s.start()
			s.replayAll()
			s.finish()
		})
	}
}

func TestAFailingReceiverGetsEverythingInOrder(t *testing.T) {
	for _, name := range recordings.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, name)
			s.receiver.Misbehave = func(n int, w http.ResponseWriter, _ *http.Request) bool {
				switch {
				case n%5 == 0:
					panic(http.ErrAbortHandler) // hangs up
				case n%3 == 0:
					w.WriteHeader(http.StatusInternalServerError)
					return true
				}
				return false
			}
			s.start()
			s.replayAll()
			s.finish()
		})
	}
}

// killsVariable sets how often the process is killed; killsEach is how often on
// the same state.
const (
	killsVariable = "SIDEHOOK_TEST_KILLS"
	killsEach     = 10
)

// Participants take their surveys as fast as they can, webhooks go to four targets,
// three of which misbehave, and the process is killed at random moments.
func TestKilledAtAnyMomentItLosesAndInventsNoEvent(t *testing.T) {
	kills, names := 5, []string{"browser-all", "browser-study", "script-race", "script-double-next", "v2.2.3-browser-repeat"}
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s must be a number: %v", killsVariable, err)
		}
		names = append(names, "browser-text-race", "script-crowd", "script-study")
	}
	total := &crashStats{}
	for total.kills < kills {
		newCrashTest(t, total, names).run(min(killsEach, kills-total.kills))
	}
	t.Log(total)
}

// A kill cannot show that a response waits for the disk, since the kernel keeps
// what was written. The order of the system calls can.
func TestAWatchedResponseWaitsForTheDiskUnlessDurabilityIsRelaxed(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed, and nothing else shows the order of system calls")
	}
	f := func(durability string, slowness time.Duration, waits bool) {
		t.Run(durability, func(t *testing.T) {
			t.Parallel()
			calls, marker := traceExchange(t, durability, slowness)
			responded, synced, released := -1, 0, -1
			for i, call := range calls {
				hasMarker, isRead := strings.Contains(call, marker), strings.Contains(call, "read") || strings.Contains(call, "recv")
				switch {
				case hasMarker && isRead && responded < 0:
					responded = i
				case hasMarker && !isRead && released < 0:
					released = i
				case strings.Contains(call, "fdatasync") && strings.Contains(call, "= 0") && responded >= 0 && released < 0:
					synced++
				}
			}
			if responded < 0 || released < 0 {
				t.Fatalf("the trace of %d calls does not show the exchange", len(calls))
			}
			if waited := synced >= 1; waited != waits {
				t.Errorf("%d syncs came between the app's response and its release to the participant", synced)
			}
		})
	}
	f("strict", 0, true)
	f("relaxed", 100*time.Millisecond, false)
}

// traceExchange returns the system calls of a process that forwards page_shown
// exchanges, with a disk that takes slowness for each sync, and a marker that only
// the last one has in its response. On a busy machine responses may be released at
// risk, after 250 ms; the last one is the first that was not.
func traceExchange(t *testing.T, durability string, slowness time.Duration) (calls []string, marker string) {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		participant := path.Base(r.URL.Path)
		fmt.Fprintf(w, `{"surveyId":7,"instanceId":7,"participantId":"%s","page":{"id":"page of %s."}}`, participant, participant)
	}))
	defer app.Close()
	dir := t.TempDir()
	writeFile(t, dir, "secret", recordings.Secret)
	writeFile(t, dir, "config.yaml", fmt.Sprintf("{listen: '127.0.0.1:0', admin: 'localhost:0', app: '%s', state: state, durability: %s, "+
		"targets: {a: {url: '%s', secret: file:secret}}, rules: [{to: [a]}]}", app.URL, durability, app.URL))
	trace := filepath.Join(dir, "trace")
	cmd := command("-config", filepath.Join(dir, "config.yaml"))
	traced := "trace=fdatasync,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg"
	slow := fmt.Sprintf("inject=fdatasync:delay_enter=%d", slowness.Microseconds())
	cmd.Args = append([]string{"strace", "-D", "-f", "-s", "4096", "-o", trace, "-e", traced, "-e", slow}, cmd.Args...)
	cmd.Path, cmd.Err = exec.LookPath("strace")
	p := startCommand(t, cmd)
	for n := 1; ; n++ {
		participant := fmt.Sprintf("participant-%d", n)
		marker = "page of " + participant + "."
		fetch(t, http.MethodGet, "http://"+p.participants+"/api/progress/7/7/"+participant, "")
		metrics := fetch(t, http.MethodGet, "http://"+p.admin+"/metrics", "")
		if !bytes.Contains(metrics, fmt.Appendf(nil, "\nsidehook_released_at_risk_total %d\n", n)) {
			break
		}
	}
	p.stop()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n"), marker
}

func TestParticipantsAreServedWhateverTheFaultOfTheState(t *testing.T) {
	f := func(name string, damage func(s *scenario)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, "script-mandatory")
			damage(s)
			s.start()
			s.replayAll()
			s.process.stop()
			if !strings.Contains(s.process.output.String(), "level=ERROR") && !strings.Contains(s.process.output.String(), "level=WARN") {
				t.Errorf("the log does not say what is wrong:\n%s", s.process.output)
			}
			if !strings.Contains(s.process.output.String(), "observations are lost: the state file could not be written before the end") {
				t.Errorf("the log does not say what was lost:\n%s", s.process.output)
			}
		})
	}
	f("its folder cannot be created", func(s *scenario) { s.write("state", "a file stands in the way") })
	f("its file is not a store", func(s *scenario) {
		if err := os.Mkdir(filepath.Join(s.dir, "state"), 0o700); err != nil {
			t.Fatal(err)
		}
		s.write("state/outbox.db", strings.Repeat("no store ", 10_000))
	})
	f("another sidehook uses it", func(s *scenario) {
		first := startProcess(s.t, "-config", filepath.Join(s.dir, "config.yaml"))
		s.t.Cleanup(first.kill)
	})
}

// Participants take a survey while the configuration is changed in every way,
// and broken.
func TestAReloadFailsNoRequestAndLosesNoEvent(t *testing.T) {
	const reloads = 24
	s := newScenario(t, "script-crowd")
	other := recordings.NewReceiver()
	t.Cleanup(other.Close)
	first := s.read("config.yaml")
	variants := []string{
		first,
		strings.Replace(first, "secret: file:secret", "secret: [file:secret, file:other-secret]", 1),
		"rulse: []",
		strings.Replace(first, "targets:", "targets:\n  other: {url: "+other.URL+", secret: file:secret, redact: {participant: true}}", 1) +
			"  - {to: [other], on: [completion]}\n",
		strings.Replace(first, "  - {to: [receiver]}", "  - {name: with a name, to: [receiver], when: page_count}", 1),
		strings.Replace(first, "open: 1ms", "open: 3ms", 1),
	}
	s.write("other-secret", "another correct horse")
	s.start()
	steps := s.recording.Steps()
	begin := make(chan int, reloads)
	var changing sync.WaitGroup
	changing.Go(func() {
		for n := range begin {
			s.reload(n, variants[n%len(variants)])
		}
	})
	for i, step := range steps {
		if i%(len(steps)/reloads) == 0 && len(begin) < cap(begin) {
			begin <- i/(len(steps)/reloads) + 1
		}
		s.do(step)
	}
	close(begin)
	changing.Wait()
	s.finish()
	text := s.process.output.String()
	good, bad := strings.Count(text, `msg="configuration reloaded"`), strings.Count(text, "configuration not reloaded")
	t.Logf("%d reloads and %d refused ones during %d requests", good, bad, len(steps)/2)
	if good < reloads/2 || bad < 2 {
		t.Errorf("only %d reloads and %d refused ones:\n%s", good, bad, text)
	}
	if strings.Contains(text, recordings.Secret) {
		t.Error("the log shows a secret")
	}
}

var (
	reloadLogged = regexp.MustCompile(`msg="configuration (not )?reloaded`)
	notReloaded  = regexp.MustCompile("sidehook_config_last_reload_successful 0")
)

// reload changes the configuration, for even n with a signal too, and waits until
// the process logs the outcome.
func (s *scenario) reload(n int, text string) {
	s.t.Helper()
	before := len(reloadLogged.FindAllString(s.process.output.String(), -1))
	s.write("config.yaml~", text)
	if err := os.Rename(filepath.Join(s.dir, "config.yaml~"), filepath.Join(s.dir, "config.yaml")); err != nil {
		s.t.Error(err)
	}
	if n%2 == 0 {
		if err := s.process.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			s.t.Error(err)
		}
	}
	s.process.output.await(s.t, reloadLogged, before+1)
}

func TestARemovedTargetKeepsItsQueueAndGetsItWhenItReturns(t *testing.T) {
	s := newScenario(t, "script-mandatory")
	var isUp atomic.Bool
	s.receiver.Misbehave = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		if isUp.Load() {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		return true
	}
	with := strings.Replace(s.read("config.yaml"), "retry: {schedule: [1ms", "retry: {schedule: [1h, 1ms", 1)
	without := strings.NewReplacer("  receiver:", "  other:", "[receiver]", "[other]").Replace(with)
	s.write("config.yaml", with)
	s.start()
	s.replayAll()
	s.reload(1, without)
	s.process.output.await(t, regexp.MustCompile("target receiver removed, its deliveries kept"), 1)
	attempts, _ := s.receiver.Attempts()
	if len(s.receiver.Bodies()) != 0 || attempts == 0 {
		t.Fatalf("%d webhooks in %d attempts while the receiver fails", len(s.receiver.Bodies()), attempts)
	}
	isUp.Store(true)
	s.reload(1, with)
	s.finish()
}

func TestMetricsReportAFailedReload(t *testing.T) {
	s := newScenario(t, "script-mandatory")
	s.start()
	s.reload(1, "rulse: []")
	if got := fetch(t, http.MethodGet, "http://"+s.process.admin+"/metrics", ""); !notReloaded.Match(got) {
		t.Errorf("the metrics do not report the failed reload:\n%s", got)
	}
	s.replayAll()
	s.finish()
}

func TestTheAppIsReachedAsConfigured(t *testing.T) {
	seen := make(chan string, 1)
	app := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" { // sidehook itself asks for the release
			seen <- r.Host + ", " + strings.Join(r.Header.Values("X-Forwarded-For"), "; ")
		}
	}))
	defer app.Close()
	s := newScenario(t, "script-mandatory") // any would do: nothing of it is replayed
	s.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: app.Certificate().Raw})))
	s.write("config.yaml", fmt.Sprintf(`
listen: 127.0.0.1:0
admin: localhost:0
app: %s
app_tls: {ca: ca.pem}
forwarded: append
trusted_proxies: [127.0.0.1]
state: state
targets: {receiver: {url: "%s", secret: file:secret}}
rules: [{to: [receiver]}]
`, app.URL, s.receiver.URL))
	s.start()
	defer s.process.stop()
	request, err := http.NewRequest(http.MethodGet, "http://"+s.process.participants+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "survey.example.org"
	request.Header.Set("X-Forwarded-For", "192.0.2.1")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatal(response.Status)
	}
	if got, want := <-seen, "survey.example.org, 192.0.2.1, 127.0.0.1"; got != want {
		t.Errorf("the app saw %q, want %q", got, want)
	}
}

func TestAnAppThatDoesNotRespondInTimeIsAnswered504(t *testing.T) {
	done := make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" { // sidehook itself asks for the release
			<-done
		}
	}))
	defer app.Close()
	defer close(done)
	s := newScenario(t, "script-mandatory") // any would do: nothing of it is replayed
	s.write("config.yaml", fmt.Sprintf(`
listen: 127.0.0.1:0
admin: localhost:0
app: %s
response_timeout: 50ms
state: state
targets: {receiver: {url: "%s", secret: file:secret}}
rules: [{to: [receiver]}]
`, app.URL, s.receiver.URL))
	s.start()
	defer s.process.stop()
	response, err := http.Get("http://" + s.process.participants + "/")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("got %s, want 504", response.Status)
	}
	metrics := string(fetch(t, http.MethodGet, "http://"+s.process.admin+"/metrics", ""))
	if want := `sidehook_requests_failed_total{cause="app_timeout"} 1`; !strings.Contains(metrics, want) {
		t.Errorf("metrics lack %s", want)
	}
}

// A load balancer takes the process out once it is not ready: until then it goes on
// sending participants.
func TestAfterSIGTERMParticipantsAreServedUntilTheyCanBeSentElsewhere(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "survey") }))
	defer app.Close()
	start := func(delay string) *process {
		dir := t.TempDir()
		writeFile(t, dir, "config.yaml", fmt.Sprintf("{listen: '127.0.0.1:0', admin: 'localhost:0', app: '%s', state: state, drain_delay: %s, stop_timeout: 2m, "+
			"targets: {crm: {url: 'http://127.0.0.1:1', secret: 'file:secret'}}, rules: [{to: [crm]}]}", app.URL, delay))
		writeFile(t, dir, "secret", recordings.Secret)
		p := startProcess(t, "-config", filepath.Join(dir, "config.yaml"))
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := start("1m")
	p.output.await(t, regexp.MustCompile("not ready any more, but still serving"), 1)
	if body := string(fetch(t, http.MethodGet, "http://"+p.participants, "")); body != "survey" {
		t.Errorf("a participant got %q", body)
	}
	response, err := http.Get("http://" + p.admin + "/ready")
	if err != nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/ready gives %v, %v", response, err)
	}
	if err == nil {
		response.Body.Close()
	}
	if p = start("0s"); p.cmd.Wait() != nil {
		t.Errorf("without a delay it ended with %v:\n%s", p.cmd.ProcessState, p.output)
	}
}

func TestAnErrorAtStartIsReported(t *testing.T) {
	taken := recordings.NewReceiver()
	defer taken.Close()
	address := strings.TrimPrefix(taken.URL, "http://")
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	f := func(config string, args []string, want string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr strings.Builder
		if code := run(args, strings.NewReader(""), &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%q: exit code %d and %q, want 1 and %q", args, code, stderr.String(), want)
		}
	}
	good := fmt.Sprintf("{listen: %s, admin: 'localhost:0', state: state, app: 'http://127.0.0.1:1', targets: {a: {url: 'http://127.0.0.1:2', secret: file:config.yaml}}, rules: [{to: [a]}]}", address)
	f(good, []string{"-config", file}, "cannot listen for participants: listen tcp "+address+": bind: address already in use")
	f("app: 1", []string{"-config", file}, file+":1:6: app: must be")
	f("app: 1", []string{"check", file}, file+":1:6: app: must be")
	f("", []string{"-config", filepath.Join(dir, "none.yaml")}, "cannot read the configuration: stat ")
	f("", []string{"run", filepath.Join(dir, "none.yaml")}, "cannot read the configuration: stat ")
	f("", []string{"health", "127.0.0.1:1"}, "connection refused")
}

func TestAWrongCommandLineIsReportedWithExitCode2(t *testing.T) {
	t.Chdir(t.TempDir())
	f := func(line, want string) {
		t.Helper()
		var stdout, stderr strings.Builder
		code := run(strings.Fields(line), strings.NewReader(""), &stdout, &stderr)
		if code != 2 || !strings.Contains(stderr.String(), want) || !strings.Contains(stderr.String(), "--help' for usage.\n") || stdout.Len() > 0 {
			t.Errorf("sidehook %s: exit code %d, %q and %q, want 2 and %q", line, code, stdout.String(), stderr.String(), want)
		}
	}
	f("", "no config.yaml here: name a configuration (sidehook run CONFIG)")
	f("run", "no config.yaml here")
	f("run a.yaml b.yaml", "name one configuration")
	f("run a.yaml --config b.yaml", "name one configuration")
	f("-config a.yaml more", `unknown command "more" for "sidehook"`)
	f("chek", `unknown command "chek" for "sidehook"; did you mean check?`)
	f("versio", "did you mean version?")
	f("delivery", "did you mean deliveries?")
	f("status", "did you mean targets?")
	f("reload", "on SIGHUP")
	f("config.yaml", "sidehook run config.yaml")
	f("deliveries lst", `unknown command "lst" for "sidehook deliveries"; did you mean list?`)
	f("help chek", `unknown command "chek"`)
	f("help deliveries lst", `unknown command "lst"`)
	f("version --nonsense", "unknown flag: --nonsense")
	f("-nonsense", "unknown shorthand flag")
	f("run --admin 127.0.0.1:9090", "unknown flag: --admin")
	f("forget", "usage: sidehook forget PARTICIPANT")
	f("deliveries list -state late", `unknown state "late"`)
}

func TestHelpIsPrintedToStdoutWithExitCode0(t *testing.T) {
	commands := []string{"", "run", "check", "try", "demo", "health", "targets", "targets enable", "deliveries", "deliveries show", "forget", "backup", "version", "help"}
	for _, command := range commands {
		for _, line := range []string{command + " --help", command + " -h", command + " -help", "help " + command} {
			var stdout, stderr strings.Builder
			code := run(strings.Fields(line), strings.NewReader(""), &stdout, &stderr)
			if text := stdout.String(); code != 0 || stderr.Len() > 0 || !strings.Contains(text, "Examples:\n  ") || !strings.Contains(text, "Usage:\n  "+strings.TrimSpace("sidehook "+command)) {
				t.Errorf("sidehook %s: exit code %d, %q and\n%s", line, code, stderr.String(), text)
			}
			for printed := range strings.Lines(stdout.String()) {
				if len(printed) > 81 {
					t.Errorf("sidehook %s: a line is longer than 80 columns: %s", line, printed)
				}
			}
		}
	}
}

func TestTheVersionNamesReleaseCommitAndGo(t *testing.T) {
	for _, line := range []string{"version", "--version", "-version", "-v"} {
		var stdout, stderr strings.Builder
		if code := run([]string{line}, strings.NewReader(""), &stdout, &stderr); code != 0 || !regexp.MustCompile(`^sidehook version \S+ \(.*go1\.`).MatchString(stdout.String()) {
			t.Errorf("%s: exit code %d, %q and %q", line, code, stdout.String(), stderr.String())
		}
	}
	var stdout strings.Builder
	if code := run([]string{"version", "--json"}, strings.NewReader(""), &stdout, io.Discard); code != 0 || gjson.Get(stdout.String(), "go").String() != runtime.Version() {
		t.Errorf("exit code %d and %q", code, stdout.String())
	}
}

// net/http logs the beginning of what arrives on an idle connection. A target that
// sends a delivery back there would have an answer logged.
func TestTheLogOfNetHTTPIsSilent(t *testing.T) {
	var logged strings.Builder
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	run([]string{"version"}, strings.NewReader(""), io.Discard, io.Discard)
	quoted := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		defer close(quoted)
		_, _ = io.WriteString(connection, "HTTP/1.1 204 No Content\r\n\r\n")
		time.Sleep(50 * time.Millisecond)
		_, _ = io.WriteString(connection, "the answer of a participant")
		_, _ = io.Copy(io.Discard, connection) // until net/http gives the connection up
	}))
	defer server.Close()
	response, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	<-quoted
	if logged.Len() > 0 {
		t.Errorf("logged %q", logged.String())
	}
}

func TestCompletionIsPrintedForEachShell(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		var stdout strings.Builder
		if code := run([]string{"completion", shell}, strings.NewReader(""), &stdout, io.Discard); code != 0 || !strings.Contains(stdout.String(), "sidehook") {
			t.Errorf("%s: exit code %d and %q", shell, code, stdout.String())
		}
	}
}

func TestASignalWhileTheDemoRunsRemovesWhatItKeeps(t *testing.T) {
	f := func(name string, signals ...syscall.Signal) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t)
			if len(signals) > 1 {
				d.sendHalfARequest()
			}
			for i, signal := range signals {
				if i > 0 {
					d.output.await(t, regexp.MustCompile("Waiting for requests in flight"), 1)
				}
				if err := d.cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.cmd.Wait(); err != nil {
				t.Errorf("the demo ended with %v:\n%s", err, d.output)
			}
			if left, _ := os.ReadDir(d.folder); len(left) > 0 {
				t.Errorf("the demo left %v", left)
			}
		})
	}
	f("interrupt", syscall.SIGINT)
	f("terminate", syscall.SIGTERM)
	f("hang up", syscall.SIGHUP)
	f("quit", syscall.SIGQUIT)
	f("broken pipe", syscall.SIGPIPE)
	f("interrupt twice", syscall.SIGINT, syscall.SIGINT)
	f("hang up, then terminate", syscall.SIGHUP, syscall.SIGTERM)
}

func TestManySignalsAtOnceDoNotKeepTheDemoFromRemovingItsFolder(t *testing.T) {
	for range 5 {
		d := startDemo(t)
		ended := make(chan struct{})
		go func() {
			_ = d.cmd.Wait()
			close(ended)
		}()
		for isRunning := true; isRunning; {
			_ = d.cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-ended:
				isRunning = false
			case <-time.After(time.Millisecond):
			}
		}
		if left, _ := os.ReadDir(d.folder); len(left) > 0 {
			t.Errorf("the demo left %v:\n%s", left, d.output)
		}
	}
}

func TestEveryCommandWorksAgainstTheDemo(t *testing.T) {
	d := startDemo(t)
	text := d.output.String()
	if strings.Contains(text, "127.0.0.1:0") || !regexp.MustCompile(`DEMO_SECRET=whsec_\S{44}\n`).MatchString(text) || !strings.Contains(text, "answers  "+d.folder) {
		t.Errorf("it does not print its addresses, its secret and its folder:\n%s", text)
	}
	for _, line := range []string{"targets", "deliveries list", "health", "backup " + filepath.Join(t.TempDir(), "copy")} {
		var stdout, stderr strings.Builder
		if code := run(append(strings.Fields(line), "--admin", d.admin), strings.NewReader(""), &stdout, &stderr); code != 0 {
			t.Errorf("%s: exit code %d and %q", line, code, stderr.String())
		}
	}
	d.stop()
}

func TestTheDemoShowsAVerifiedWebhookForEachPageLeft(t *testing.T) {
	received := make(chan string, 1)
	own := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		received <- gjson.GetBytes(content, "type").String()
	}))
	defer own.Close()
	d := startDemo(t, "--bodies", "--format", "cloudevents", "--to", own.URL)
	base := "http://" + d.participants
	id := gjson.GetBytes(fetch(t, http.MethodGet, base+"/api/progress/5/3/", ""), "newParticipantId").String()
	page := gjson.GetBytes(fetch(t, http.MethodGet, base+"/api/progress/5/3/"+id, ""), "page")
	item := page.Get(`components.#(type=="Confirmation").id`).String()
	fetch(t, http.MethodPost, base+"/api/log/3/"+id+"/"+page.Get("id").String()+"/decsys.platform.PAGE_LOAD", "{}")
	fetch(t, http.MethodPost, base+"/api/log/3/"+id+"/"+item+"/decsys.platform.COMPONENT_RESULTS", `{"confirmed":true}`)
	fetch(t, http.MethodPost, base+"/api/progress/5/3/"+id+"/next", "")
	match := d.output.await(t, regexp.MustCompile(`(?s)\n✓ page_navigation · (\S+ → [^·]+) · verified · \d.*"id": "`+id+`"`), 1)[0]
	if got := <-received; !strings.HasSuffix(got, "survey.page_navigated") {
		t.Errorf("a receiver of one's own got %q", got)
	}

	response, err := http.Get(base + "/demo/webhooks") // as the page does, through sidehook
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	events := bufio.NewScanner(response.Body)
	for events.Scan() && !strings.HasPrefix(events.Text(), "data: ") {
	}
	if line := gjson.Get(strings.TrimPrefix(events.Text(), "data: "), "line").String(); !strings.Contains(line, match[1]) {
		t.Errorf("beside the survey is %q, want %q", line, match[1])
	}
	d.stop()
	for events.Scan() { // to the end of the stream, which does not hold up the end of the demo
	}
}

// demoProcess is the demo, running, with its temporary folder in folder.
type demoProcess struct {
	process
	folder string
}

var demoServedAt = regexp.MustCompile(`(?s)survey   http://(\S+)/survey/fzd\n.*SIDEHOOK_ADMIN=(\S+)\n.*Ctrl-C`)

func startDemo(t *testing.T, flags ...string) *demoProcess {
	t.Helper()
	cmd := command(append([]string{"demo"}, flags...)...)
	d := &demoProcess{process: process{t: t, cmd: cmd, output: newTranscript()}, folder: t.TempDir()}
	cmd.Env = append(cmd.Env, "TMPDIR="+d.folder)
	cmd.Stdout, cmd.Stderr = d.output, d.output
	// A child inherits what its parent ignores, and not what it catches: SIGHUP is
	// ignored under nohup, and SIGPIPE by tests that run the program in this process.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP, syscall.SIGPIPE)
	defer signal.Stop(caught)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.kill)
	match := d.output.await(t, demoServedAt, 1)[0]
	d.participants, d.admin = match[1], match[2]
	return d
}

// sendHalfARequest sends a request whose body never ends.
func (d *demoProcess) sendHalfARequest() {
	d.t.Helper()
	conn, err := net.Dial("tcp", d.participants)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "POST /api/log/3/p/1/decsys.platform.PAGE_LOAD HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"); err != nil {
		d.t.Fatal(err)
	}
	for !bytes.Contains(fetch(d.t, http.MethodGet, "http://"+d.admin+"/metrics", ""), []byte("\nsidehook_requests_total 1\n")) {
		time.Sleep(time.Millisecond) // until it is in flight
	}
}

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

func TestTryPrintsWhatARecordingWouldSend(t *testing.T) {
	const folder = "rules/trial/testdata/"
	f := func(golden string, args ...string) {
		t.Helper()
		var stdout, stderr strings.Builder
		if code := run(append([]string{"try"}, args...), strings.NewReader(""), &stdout, &stderr); code != 0 {
			t.Errorf("%q: exit code %d: %s", args, code, stderr.String())
			return
		}
		if *update {
			if err := os.WriteFile(folder+golden, []byte(stdout.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(folder + golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), stdout.String()); diff != "" {
			t.Errorf("%q (-%s +got):\n%s", args, golden, diff)
		}
	}
	for _, browser := range []string{"chrome", "firefox", "safari"} {
		f("session-"+browser+".txt", folder+"session-"+browser+".har", "-config", folder+"config.yaml")
	}
	f("session-chrome.json", "-json", "-config="+folder+"config.yaml", folder+"session-chrome.har")
	f("without-config.txt", folder+"session-chrome.har")
}

// An operator's session: each command is a process of its own.
func TestTheOperatorsCommandsAskARunningProcess(t *testing.T) {
	s := newScenario(t, "script-mandatory")
	var takes atomic.Bool
	s.receiver.Misbehave = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		if !takes.Load() {
			w.WriteHeader(http.StatusUnprocessableEntity) // refused for good: dead after two retries
		}
		return !takes.Load()
	}
	s.start()
	s.replayAll()
	operator := func(line string, want ...string) string {
		t.Helper()
		command := exec.Command(os.Args[0], append(strings.Fields(line), "-admin", s.process.admin)...)
		command.Env = append(os.Environ(), "SIDEHOOK_TEST_RUN=1")
		output, _ := command.CombinedOutput()
		for _, part := range want {
			if !strings.Contains(string(output), part) {
				t.Errorf("sidehook %s\n%s\nlacks %q", line, output, part)
			}
		}
		return string(output)
	}
	for began := time.Now(); !strings.Contains(operator("deliveries list -state pending"), "no deliveries"); {
		if time.Since(began) > patience {
			t.Fatal("some deliveries are not dead yet")
		}
	}
	operator("targets", "receiver  up", "status 422")
	id := gjson.Get(operator("deliveries list -state dead -json"), "0.id").String()
	operator("deliveries show "+id, "reason", "status 422")
	takes.Store(true)
	operator("deliveries redeliver -state dead -dry-run", fmt.Sprintf("%d deliveries would be sent again", s.recording.Navigations()))
	operator("deliveries redeliver -state dead -rate unlimited", "will be sent again")
	operator("backup "+filepath.Join(s.dir, "copy"), "copy has ")
	operator("targets disable receiver", "receiver is disabled")
	operator("targets enable receiver", "receiver is enabled")
	waiting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s.receiver.Wait(waiting.Done(), s.recording.Navigations())
	if got := len(s.receiver.Bodies()); got != s.recording.Navigations() {
		t.Errorf("%d webhooks came in the end, want %d", got, s.recording.Navigations())
	}
	participant := gjson.Get(s.receiver.Bodies()[0], "ParticipantId").String()
	operator("forget "+participant, "erased: 1 journey with ")
	s.process.stop()
	if strings.Contains(s.process.output.String(), participant) {
		t.Errorf("the log has a participant's id:\n%s", s.process.output)
	}
	if content, err := os.ReadFile(filepath.Join(s.dir, "state", "outbox.db")); err != nil || strings.Contains(string(content), participant) {
		t.Errorf("the state has a participant's id (%v)", err)
	}
}

// Each metric stands in the manual with its kind, labels and help, and the other
// way round; none says who a participant is.
func TestTheManualListsEveryMetric(t *testing.T) {
	s := newScenario(t, "script-mandatory")
	s.start()
	s.replayAll()
	text := string(fetch(t, http.MethodGet, "http://"+s.process.admin+"/metrics", ""))
	always, ofReplicas := readMetricsManual(t)
	if diff := cmp.Diff(always, scrape(t, text)); diff != "" {
		t.Errorf("metrics and the manual differ (-manual +metrics):\n%s", diff)
	}
	for _, one := range s.recording.Exchanges {
		if match, ok := s.profile.Match([]byte(one.Method), []byte(one.Target)); ok && match.Participant() != "" && strings.Contains(text, match.Participant()) {
			t.Fatal("the metrics name a participant")
		}
	}
	s.finish()

	// One of several replicas has more, even if it cannot reach the servers.
	s.write("config.yaml", s.read("config.yaml")+"replicas: nats://127.0.0.1:1/decsys\n")
	s.start()
	found := scrape(t, string(fetch(t, http.MethodGet, "http://"+s.process.admin+"/metrics", "")))
	s.process.stop()
	maps.DeleteFunc(found, func(name, _ string) bool { _, isKnown := always[name]; return isKnown })
	if diff := cmp.Diff(ofReplicas, found); diff != "" {
		t.Errorf("metrics of replicas and the manual differ (-manual +metrics):\n%s", diff)
	}
}

// readMetricsManual returns the kind, labels and help of the metrics in the manual: of
// those that there always are, and of those that replicas have, too.
func readMetricsManual(t *testing.T) (always, ofReplicas map[string]string) {
	t.Helper()
	manual, err := os.ReadFile("docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| .(sidehook_\w+). \| (\w+) \| ([\w, ]*?) *\| (.*) \|$`)
	read := func(part string) map[string]string {
		rows := map[string]string{}
		for _, row := range row.FindAllStringSubmatch(part, -1) {
			rows[row[1]] = row[2] + " of " + row[3] + ": " + row[4]
		}
		return rows
	}
	first, second, _ := strings.Cut(string(manual), "| metric of replicas |")
	return read(first), read(second)
}

var (
	typeLine = regexp.MustCompile(`^# TYPE (sidehook_\w+) (counter|gauge|histogram)$`)
	helpLine = regexp.MustCompile(`^# HELP (sidehook_\w+) (\S.*\.)$`)
	// foreignLine is about a metric of the Go runtime or of the process.
	foreignLine = regexp.MustCompile(`^# (?:HELP|TYPE) (?:go|process)_`)
	sampleLine  = regexp.MustCompile(`^([a-z]\w*)(?:\{((?:[a-zA-Z]\w*="(?:[^"\\]|\\[\\"n])*"(?:, ?)?)+)\})? (\d[\d.e+-]*|\+Inf|NaN)$`)
	labelPair   = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

// scraper parses metrics as strictly as the text format of Prometheus allows.
type scraper struct {
	t            *testing.T
	helped, help string
	name, kind   string
	// found has the kind, labels and help of the metrics that are ours.
	found map[string]string
	seen  map[string]bool
	// below is the last bucket's value.
	below float64
}

func scrape(t *testing.T, text string) map[string]string {
	t.Helper()
	s := &scraper{t: t, found: map[string]string{}, seen: map[string]bool{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if match := helpLine.FindStringSubmatch(line); match != nil {
			s.helped, s.help = match[1], match[2]
		} else if match := typeLine.FindStringSubmatch(line); match != nil {
			s.begin(match[1], match[2])
		} else if !foreignLine.MatchString(line) {
			s.sample(line)
		}
	}
	return s.found
}

func (s *scraper) begin(name, kind string) {
	if _, again := s.found[name]; again || s.helped != name || strings.HasSuffix(name, "_total") != (kind == "counter") {
		s.t.Errorf("%s, a %s, comes a second time, without help, or is not called as its kind is", name, kind)
	}
	s.name, s.kind, s.below = name, kind, 0
}

func (s *scraper) sample(line string) {
	match := sampleLine.FindStringSubmatch(line)
	if match == nil || s.seen[match[1]+match[2]] {
		s.t.Errorf("this is no sample, or it was there before: %s", line)
		return
	}
	s.seen[match[1]+match[2]] = true
	if !strings.HasPrefix(match[1], "sidehook_") {
		return
	}
	part, isOfName := strings.CutPrefix(match[1], s.name)
	isOfKind := part == "" || s.kind == "histogram" && (part == "_bucket" || part == "_sum" || part == "_count")
	value, err := strconv.ParseFloat(match[3], 64)
	if !isOfName || !isOfKind || err != nil {
		s.t.Errorf("after the type of %s comes %s", s.name, line)
	}
	s.buckets(part, value, line)
	var labels []string
	for _, pair := range labelPair.FindAllStringSubmatch(match[2], -1) {
		if pair[1] != "le" {
			labels = append(labels, pair[1])
		}
	}
	s.found[s.name] = s.kind + " of " + strings.Join(labels, ", ") + ": " + s.help
}

// buckets checks that a histogram's buckets grow, up to its count.
func (s *scraper) buckets(part string, value float64, line string) {
	if part == "_bucket" && value < s.below || part == "_count" && value != s.below {
		s.t.Errorf("the buckets before this do not add up: %s", line)
	}
	switch part {
	case "_bucket":
		s.below = value
	case "_count":
		s.below = 0
	}
}

func fetch(t *testing.T, method, url, body string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: status %d, %v", method, url, response.StatusCode, err)
	}
	return answer
}

// scenario is a recorded app, the program in a process of its own in front of it,
// and a receiver behind it.
type scenario struct {
	t         *testing.T
	recording *recordings.Recording
	profile   *rules.Profile
	app       *recordings.App
	receiver  *recordings.Receiver
	replay    *recordings.Replay
	dir       string
	process   *process
}

func newScenario(t *testing.T, name string) *scenario {
	t.Helper()
	recording, err := recordings.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	s := &scenario{
		t: t, recording: recording, profile: profile, dir: t.TempDir(),
		app: recordings.NewApp(recording), receiver: recordings.NewReceiver(),
	}
	t.Cleanup(s.app.Close)
	t.Cleanup(s.receiver.Close)
	s.replay = &recordings.Replay{Recording: recording, App: s.app}
	positions := ""
	if name == "script-filter-2-3" {
		positions = ", source_positions: [2, 3]"
	}
	s.write("config.yaml", fmt.Sprintf(`
listen: 127.0.0.1:0
admin: localhost:0
app: %s
state: %s
targets:
  receiver:
    url: %s/hook
    secret: file:secret
    retry: {schedule: [1ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms, 1ms]}
    breaker: {open: 1ms, max_open: 2ms}
rules:
  - {to: [receiver]%s}
`, s.app.URL, filepath.Join(s.dir, "state"), s.receiver.URL, positions))
	s.write("secret", recordings.Secret+"\n")
	return s
}

func (s *scenario) write(name, text string) {
	s.t.Helper()
	writeFile(s.t, s.dir, name, text)
}

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *scenario) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *scenario) start() {
	s.t.Helper()
	s.process = startProcess(s.t, "-config", filepath.Join(s.dir, "config.yaml"))
	s.replay.Address = s.process.participants
}

func (s *scenario) replayAll() {
	s.t.Helper()
	for _, step := range s.recording.Steps() {
		s.do(step)
	}
}

func (s *scenario) do(step recordings.Step) {
	s.t.Helper()
	if err := s.replay.Do(step); err != nil {
		s.t.Fatal(err)
	}
}

// finish waits for the webhooks, stops the process, and checks what the receiver
// got and the outbox holds.
func (s *scenario) finish() {
	s.t.Helper()
	want := s.recording.Navigations()
	waiting, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	s.receiver.Wait(waiting.Done(), want)
	s.process.stop()
	for _, difference := range s.recording.Differences(s.profile, s.receiver.Bodies()) {
		s.t.Error(difference)
	}
	_, wrong := s.receiver.Attempts()
	if diff := cmp.Diff([]string(nil), wrong); diff != "" {
		s.t.Errorf("wrong with the webhooks (-want +got):\n%s", diff)
	}
	attempts, _ := s.receiver.Attempts()
	s.t.Logf("%d webhooks expected (%d sent by Decsys or its fold), %d received in %d attempts",
		want, len(s.recording.Webhooks), len(s.receiver.Bodies()), attempts)
	if n := s.enqueued(); n != want {
		s.t.Errorf("the outbox has %d deliveries, want %d: one for each accepted navigation and none besides", n, want)
	}
}

// enqueued returns the number of deliveries that the outbox has ever held.
func (s *scenario) enqueued() (n int) {
	s.t.Helper()
	openState(s.t, s.dir, func(store *outbox.Store) {
		target, err := store.Target("receiver")
		if err != nil {
			s.t.Fatal(err)
		}
		n = int(target.Pending + target.Delivered + target.Dead)
	})
	return n
}

// openState opens the state that a process left in dir.
func openState(t *testing.T, dir string, read func(*outbox.Store)) {
	t.Helper()
	store := outbox.New(outbox.Options{Dir: filepath.Join(dir, "state"), Logger: slog.New(slog.DiscardHandler)})
	stop := pipeline.Background(func(err error) { t.Error(err) }, store.Run)
	defer stop()
	if err := store.Do(t.Context(), func(*outbox.Tx) {}); err != nil {
		t.Fatal(err)
	}
	read(store)
}

// misbehaviours has the targets of a crashTest, and how each responds to its n-th attempt.
var misbehaviours = map[string]func(n int, w http.ResponseWriter, r *http.Request) bool{
	"good": nil,
	"failing": func(n int, w http.ResponseWriter, _ *http.Request) bool {
		switch {
		case n%7 == 0:
			panic(http.ErrAbortHandler) // hangs up
		case n%3 == 0:
			w.WriteHeader(http.StatusInternalServerError)
		}
		return n%3 == 0
	},
	"hanging": func(n int, _ http.ResponseWriter, r *http.Request) bool {
		if n%60 == 0 {
			<-r.Context().Done()
		}
		return n%60 == 0
	},
	"slow": func(int, http.ResponseWriter, *http.Request) bool {
		time.Sleep(5 * time.Millisecond)
		return false
	},
}

// crashTest is a crowd of participants whose proxy is killed repeatedly.
type crashTest struct {
	t         *testing.T
	total     *crashStats
	crowd     *recordings.Crowd
	receivers map[string]*recordings.Receiver
	dir       string

	// serving is locked while there is no process.
	serving sync.RWMutex
	process *process
	// atRisk counts, by target and delivery, the kills at which it was pending;
	// before has how often it had been received at the last kill.
	atRisk map[string]map[string]int
	before map[string]map[string]int
}

// crashStats counts over all kills; busy are those that met participants.
type crashStats struct{ kills, busy, wanted, arrived, attempts, inFlight, repeats int }

func (t *crashStats) String() string {
	return fmt.Sprintf("%d kills, %d of them while participants sent requests: %d of %d webhooks arrived at %d targets, in %d attempts; "+
		"%d were in flight at a kill, and %d were repeated", t.kills, t.busy, t.arrived, t.wanted, len(misbehaviours), t.attempts, t.inFlight, t.repeats)
}

func newCrashTest(t *testing.T, total *crashStats, names []string) *crashTest {
	t.Helper()
	recording, err := recordings.Merge(names...)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	c := &crashTest{t: t, total: total, dir: t.TempDir(), receivers: map[string]*recordings.Receiver{}, atRisk: map[string]map[string]int{}, before: map[string]map[string]int{}}
	c.crowd = &recordings.Crowd{Recording: recording, App: recordings.NewApp(recording), Profile: profile, Address: c.address}
	t.Cleanup(c.crowd.App.Close)
	config := fmt.Sprintf("{listen: '127.0.0.1:0', admin: 'localhost:0', app: '%s', state: state, rules: [{to: [good, failing, hanging, slow]}], targets: {", c.crowd.App.URL)
	for name, misbehave := range misbehaviours {
		receiver := recordings.NewReceiver()
		receiver.Misbehave = misbehave
		t.Cleanup(receiver.Close)
		c.receivers[name], c.atRisk[name] = receiver, map[string]int{}
		config += fmt.Sprintf("%s: {url: '%s', secret: file:secret, timeout: 2s, retry: {schedule: [%s5ms]}, breaker: {open: 5ms, max_open: 20ms}},",
			name, receiver.URL, strings.Repeat("5ms, ", 20))
	}
	writeFile(t, c.dir, "config.yaml", config+"}}")
	writeFile(t, c.dir, "secret", recordings.Secret)
	return c
}

// address waits while there is no process.
func (c *crashTest) address(ctx context.Context) (string, error) {
	c.serving.RLock()
	defer c.serving.RUnlock()
	return c.process.participants, ctx.Err()
}

func (c *crashTest) run(kills int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 6*patience)
	defer cancel()
	c.start()
	walked := make(chan error, 1)
	go func() { walked <- c.crowd.Walk(ctx) }()
	for until := c.total.kills + kills; c.total.kills < until; c.kill() {
		time.Sleep(rand.N(400 * time.Millisecond))
		if len(walked) == 0 {
			c.total.busy++
		}
	}
	if err := <-walked; err != nil {
		c.t.Fatal(err)
	}
	for _, receiver := range c.receivers {
		receiver.Wait(ctx.Done(), c.crowd.Recording.Navigations())
	}
	c.process.stop()
	c.check()
}

func (c *crashTest) start() {
	c.t.Helper()
	c.process = startProcess(c.t, "-config", filepath.Join(c.dir, "config.yaml"))
}

// kill kills the process and starts it again; sometimes it also kills that one, before it serves.
func (c *crashTest) kill() {
	c.t.Helper()
	c.serving.Lock()
	defer c.serving.Unlock()
	c.process.kill()
	c.inspect()
	if rand.N(4) == 0 {
		early := command("-config", filepath.Join(c.dir, "config.yaml"))
		if err := early.Start(); err != nil {
			c.t.Fatal(err)
		}
		time.Sleep(rand.N(50 * time.Millisecond))
		_ = early.Process.Kill()
		_ = early.Wait()
		c.inspect()
	}
	c.start()
}

// inspect notes which deliveries a killed process left pending.
func (c *crashTest) inspect() {
	c.t.Helper()
	c.total.kills++
	openState(c.t, c.dir, func(store *outbox.Store) {
		for name, receiver := range c.receivers {
			if err := receiver.AwaitGone(); err != nil {
				c.t.Fatal(err)
			}
			taken := receiver.Accepted()
			for _, id := range pending(c.t, store, name) {
				c.atRisk[name][id]++
				if taken[id] > c.before[name][id] {
					c.total.inFlight++
				}
			}
			c.before[name] = taken
		}
	})
}

// pending returns the ids of a target's pending deliveries.
func pending(t *testing.T, store *outbox.Store, target string) (ids []string) {
	t.Helper()
	for query := (outbox.Query{Target: target, States: []outbox.State{outbox.Waiting}, Limit: 1000}); ; {
		list, rest, err := store.List(query)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			ids = append(ids, d.ID)
		}
		if query.After = rest; rest == "" {
			return ids
		}
	}
}

// check checks what the receivers got: every webhook, as Decsys would have sent it,
// in order, and repeated only where a kill prevented its outcome from being recorded.
func (c *crashTest) check() {
	c.t.Helper()
	for name, receiver := range c.receivers {
		for _, difference := range c.crowd.Recording.Differences(c.crowd.Profile, receiver.Bodies()) {
			c.t.Errorf("%s: %s", name, difference)
		}
		attempts, wrong := receiver.Attempts()
		if len(wrong) > 0 {
			c.t.Errorf("%s: %q", name, wrong)
		}
		for id, times := range receiver.Accepted() {
			c.total.repeats += times - 1
			if times > 1+c.atRisk[name][id] {
				c.t.Errorf("%s received a webhook %d times, which %d kills explain", name, times, c.atRisk[name][id])
			}
		}
		c.total.attempts += attempts
		c.total.wanted += c.crowd.Recording.Navigations()
		c.total.arrived += len(receiver.Bodies())
	}
	if c.total.repeats > c.total.inFlight {
		c.t.Errorf("%d webhooks were repeated, but only %d were in flight at a kill", c.total.repeats, c.total.inFlight)
	}
}

// process is a running sidehook.
type process struct {
	t            *testing.T
	cmd          *exec.Cmd
	participants string
	admin        string
	output       *transcript
}

var servedAt = regexp.MustCompile(`address=(\S+) admin=(\S+)`)

// command returns a command that runs this program as another process.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "SIDEHOOK_TEST_RUN=1")
	return cmd
}

// startProcess starts the program and waits until it serves participants.
func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	return startCommand(t, command(args...))
}

func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, output: newTranscript()}
	p.cmd.Stderr = p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	match := p.output.await(t, servedAt, 1)[0]
	p.participants, p.admin = match[1], match[2]
	return p
}

// kill ends the process with SIGKILL and waits for its end.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill() // it may have ended by itself
		_ = p.cmd.Wait()
	}
}

// stop ends the process with Ctrl-C and checks that it exits with 0.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the program ended with %v:\n%s", err, p.output)
	}
}

// transcript is the output of a process, in which a test can wait for a line.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func newTranscript() *transcript { return &transcript{more: make(chan struct{})} }

// Write implements io.Writer.
func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.more)
	o.more = make(chan struct{})
	return o.text.Write(p)
}

// String returns what was written so far.
func (o *transcript) String() string {
	text, _ := o.read()
	return text
}

func (o *transcript) read() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.more
}

// await waits until the text has n matches, and returns them.
func (o *transcript) await(t *testing.T, pattern *regexp.Regexp, n int) [][]string {
	t.Helper()
	timeout := time.After(patience)
	for {
		text, more := o.read()
		if matches := pattern.FindAllStringSubmatch(text, -1); len(matches) >= n {
			return matches
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatalf("the output does not match %s %d times:\n%s", pattern, n, text)
		}
	}
}

func TestALogThatNobodyReadsHarmsNoRequestAndDoesNotEndTheProcess(t *testing.T) {
	f := func(name string, breakPipe func(t *testing.T, reader, writer *os.File), dropsAtOnce bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, "script-mandatory")
			reader, writer := s.startWithPipe()
			breakPipe(t, reader, writer)
			s.app.Close() // a request is complained of
			s.awaitReload(2)
			response, err := http.Get("http://" + s.process.participants + "/")
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusServiceUnavailable && response.StatusCode != http.StatusBadGateway {
				t.Errorf("got %s, want 502 or 503", response.Status)
			}
			if dropsAtOnce && s.metric("sidehook_log_lines_dropped_total") == 0 {
				t.Error("no line was counted as dropped")
			}
			s.process.stop()
		})
	}
	f("its reader is gone", func(_ *testing.T, reader, _ *os.File) { reader.Close() }, true)
	f("its reader is stuck", func(_ *testing.T, _, writer *os.File) {
		go writer.Write(make([]byte, 1<<20)) // fills the pipe, and ends with it
		time.Sleep(50 * time.Millisecond)
	}, false)
}

// startWithPipe starts the program with a pipe as stderr, of which nothing is
// read once it serves.
func (s *scenario) startWithPipe() (reader, writer *os.File) {
	s.t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		reader.Close()
		writer.Close()
	})
	cmd := command("-config", filepath.Join(s.dir, "config.yaml"))
	cmd.Stderr = writer
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.process = &process{t: s.t, cmd: cmd, output: newTranscript()}
	s.t.Cleanup(s.process.kill)
	for lines := bufio.NewScanner(io.TeeReader(reader, s.process.output)); lines.Scan(); {
		if match := servedAt.FindStringSubmatch(lines.Text()); match != nil {
			s.process.participants, s.process.admin = match[1], match[2]
			return reader, writer
		}
	}
	s.t.Fatalf("the program does not serve:\n%s", s.process.output)
	return nil, nil
}

// awaitReload reloads the configuration n times, each of which is logged.
func (s *scenario) awaitReload(n int) {
	s.t.Helper()
	const loaded = "sidehook_config_last_reload_success_timestamp_seconds"
	for range n {
		before := s.metric(loaded)
		if err := s.process.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			s.t.Fatal(err)
		}
		s.awaitMetric(loaded, func(value float64) bool { return value != before })
	}
}

// metric returns the value of a metric without labels.
func (s *scenario) metric(name string) float64 {
	s.t.Helper()
	text := fetch(s.t, http.MethodGet, "http://"+s.process.admin+"/metrics", "")
	match := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if match == nil {
		s.t.Fatalf("there is no metric %s", name)
	}
	value, err := strconv.ParseFloat(string(match[1]), 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return value
}

// awaitMetric waits until the value of a metric is as wanted.
func (s *scenario) awaitMetric(name string, isWanted func(float64) bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !isWanted(s.metric(name)); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s is still %v", name, s.metric(name))
		}
	}
}

func TestIdleConnectionsLeaveDescriptorsForEverythingElse(t *testing.T) {
	s := newScenario(t, "script-mandatory")
	release := holdState(t, filepath.Join(s.dir, "state"))
	cmd := command("-config", filepath.Join(s.dir, "config.yaml"))
	cmd.Args = append([]string{"sh", "-c", `ulimit -n 64; exec "$0" "$@"`}, cmd.Args...)
	cmd.Path = "/bin/sh"
	s.process = startCommand(t, cmd)
	s.replay.Address = s.process.participants

	first := s.connect()
	var idle []net.Conn
	for range 60 {
		idle = append(idle, s.connect())
	}
	expectStatus(t, s.connect(), http.StatusServiceUnavailable)
	expectStatus(t, first, http.StatusNotFound) // by the app
	fetch(t, http.MethodGet, "http://"+s.process.admin+"/live", "")
	fetch(t, http.MethodGet, "http://"+s.process.admin+"/ready", "")
	release()
	s.awaitMetric("sidehook_store_open", func(open float64) bool { return open == 1 })

	for _, conn := range append(idle, first) {
		conn.Close()
	}
	s.awaitMetric("sidehook_connections", func(n float64) bool { return n == 0 })
	s.replayAll()
	s.finish()
}

// holdState opens a state until release is called, so that nobody else can.
func holdState(t *testing.T, dir string) (release func()) {
	t.Helper()
	store := outbox.New(outbox.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	stop := pipeline.Background(func(err error) { t.Error(err) }, store.Run)
	if err := store.Do(t.Context(), func(*outbox.Tx) {}); err != nil {
		t.Fatal(err)
	}
	return func() { _ = stop() }
}

// connect opens a connection of a participant.
func (s *scenario) connect() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.process.participants)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return conn
}

// expectStatus sends a request and checks the status of its response.
func expectStatus(t *testing.T, conn net.Conn, want int) {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(conn, "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != want {
		t.Errorf("got %s, want %d", response.Status, want)
	}
}

// The sessions of other apps through the real program, killed and started again in
// the middle, give the events that `sidehook try` says of them.
func TestOtherAppsGiveTheEventsOfTheirTrialThoughItIsKilled(t *testing.T) {
	files, err := filepath.Glob("rules/trial/testdata/*/*.har*")
	if err != nil || len(files) < 33 {
		t.Fatalf("%d sessions, %v", len(files), err)
	}
	for _, file := range files {
		name, _, _ := strings.Cut(filepath.Base(file), ".")
		app := name
		if strings.HasSuffix(file, ".gz") {
			app = "limesurvey"
		}
		t.Run(app+" "+name, func(t *testing.T) {
			t.Parallel()
			exchanges := readSession(t, file)
			want := eventsOfTrial(t, app, exchanges)
			got := eventsOfProgram(t, app, exchanges, len(slices.Concat(slices.Collect(maps.Values(want))...)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("events by survey (-try +program):\n%s", diff)
			}
		})
	}
}

func readSession(t *testing.T, file string) []trial.Recorded {
	t.Helper()
	var har io.ReadCloser
	har, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer har.Close()
	if strings.HasSuffix(file, ".gz") {
		if har, err = gzip.NewReader(har); err != nil {
			t.Fatal(err)
		}
	}
	exchanges, omitted, err := trial.ReadHAR(har)
	if err != nil || len(omitted) > 0 {
		t.Fatal(err, omitted)
	}
	return exchanges
}

// instants match the times in a body, which are those of the replay.
var instants = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[\d:.]+Z"`)

// addData adds the data of an event to those of its survey, without times and without
// the participant, who may be a digest with the key of the store.
func addData(events map[string][]string, data string) {
	survey, participant := gjson.Get(data, "survey.id").String(), gjson.Get(data, "participant.id").Raw
	events[survey] = append(events[survey], instants.ReplaceAllString(strings.ReplaceAll(data, participant, `"P"`), `"T"`))
}

func eventsOfTrial(t *testing.T, app string, exchanges []trial.Recorded) map[string][]string {
	t.Helper()
	profile, err := rules.LoadProfile(app)
	if err != nil {
		t.Fatal(err)
	}
	events := map[string][]string{}
	nothing := func(rules.Key, *rules.Event, func(string, string, string, []byte)) {}
	report := trial.Run(trial.Options{Profile: profile, Config: &config.Config{}, Preview: nothing}, exchanges, nil)
	for _, exchange := range report.Exchanges {
		for _, event := range exchange.Events {
			addData(events, string(event.Data))
		}
	}
	return events
}

// eventsOfProgram replays exchanges through the program, which is killed in the
// middle, until so many webhooks have come.
func eventsOfProgram(t *testing.T, app string, exchanges []trial.Recorded, want int) map[string][]string {
	t.Helper()
	bodies := make(chan string, 1000)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil { // or it was cut off by the kill
			bodies <- string(body)
		}
	}))
	defer receiver.Close()
	recording := &recordings.Recording{Exchanges: exchanges}
	server := recordings.NewApp(recording)
	defer server.Close()
	dir := t.TempDir()
	writeFile(t, dir, "secret", recordings.Secret)
	writeFile(t, dir, "config.yaml", fmt.Sprintf("{listen: '127.0.0.1:0', admin: 'localhost:0', app: '%s', profile: %s, state: state, "+
		"targets: {lake: {url: '%s', secret: file:secret, format: standard}}, rules: [{to: [lake]}]}", server.URL, app, receiver.URL))
	process := startProcess(t, "-config", filepath.Join(dir, "config.yaml"))
	replay := &recordings.Replay{Recording: recording, App: server, Address: process.participants}
	steps, isKilled := recording.Steps(), false
	for i, step := range steps {
		if i >= len(steps)/2 && !isKilled && len(replay.Open()) == 0 {
			process.kill()
			process, isKilled = startProcess(t, "-config", filepath.Join(dir, "config.yaml")), true
			replay.Address = process.participants
		}
		if err := replay.Do(step); err != nil {
			t.Fatal(err)
		}
	}
	events, seen := map[string][]string{}, map[string]bool{}
	for len(seen) < want {
		select {
		case body := <-bodies:
			if !seen[body] { // or an attempt that was in flight was made again
				seen[body] = true
				addData(events, gjson.Get(body, "data").Raw)
			}
		case <-time.After(patience):
			t.Errorf("%d of %d webhooks have come:\n%s", len(seen), want, process.output)
			return events
		}
	}
	process.stop()
	for len(bodies) > 0 {
		if body := <-bodies; !seen[body] {
			t.Errorf("a webhook too many: %s", body)
		}
	}
	checkCredentials(t, dir, process.output.String(), exchanges)
	return events
}

// checkCredentials checks that neither the state nor the log has a cookie of a session.
func checkCredentials(t *testing.T, dir, log string, exchanges []trial.Recorded) {
	t.Helper()
	state := log
	err := filepath.WalkDir(filepath.Join(dir, "state"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		state += string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, exchange := range exchanges {
		for _, field := range slices.Concat(exchange.Exchange.RequestHeader, exchange.Exchange.ResponseHeader) {
			if !strings.EqualFold(field.Name, "Cookie") && !strings.EqualFold(field.Name, "Set-Cookie") {
				continue
			}
			for pair := range strings.SplitSeq(field.Value, ";") {
				if _, value, _ := strings.Cut(pair, "="); len(value) > 7 && strings.Contains(state, value) && !strings.Contains(value, " ") {
					t.Errorf("%s is stored or logged", field.Name)
				}
			}
		}
	}
}
