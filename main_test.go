package main

import (
	"bufio"
	"context"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/recordings"
)

// patience bounds what a test waits for; nothing takes nearly as long.
const patience = 10 * time.Second

// TestMain lets the tests run this very program as another process, to kill it.
func TestMain(m *testing.M) {
	if os.Getenv("SIDEHOOK_TEST_RUN") != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestEveryRecordingGivesItsWebhooks(t *testing.T) {
	for _, name := range recordings.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage := newStage(t, name)
			stage.start()
			stage.replayAll()
			stage.finish()
		})
	}
}

func TestAReceiverInTroubleGetsEverythingInOrder(t *testing.T) {
	for _, name := range recordings.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage := newStage(t, name)
			stage.receiver.Misbehave = func(n int, w http.ResponseWriter, _ *http.Request) bool {
				switch {
				case n%5 == 0:
					panic(http.ErrAbortHandler) // hangs up
				case n%3 == 0:
					w.WriteHeader(http.StatusInternalServerError)
					return true
				}
				return false
			}
			stage.start()
			stage.replayAll()
			stage.finish()
		})
	}
}

// killsVariable sets how often the program is killed; killsEach is how often in
// one run, on one state.
const (
	killsVariable = "SIDEHOOK_TEST_KILLS"
	killsEach     = 10
)

// Participants take their surveys as fast as they can, four targets are told of
// it, three of them in trouble, and the program is killed at any moment.
func TestKilledAgainAndAgainItLosesNothingAndInventsNothing(t *testing.T) {
	kills, names := 5, []string{"browser-all", "browser-study", "script-race", "script-double-next", "v2.2.3-browser-repeat"}
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s must be a number: %v", killsVariable, err)
		}
		names = append(names, "browser-text-race", "script-crowd", "script-study")
	}
	total := &tally{}
	for total.kills < kills {
		newOrdeal(t, total, names).run(min(killsEach, kills-total.kills))
	}
	t.Log(total)
}

// A kill can't show that a response waits for the disk, since the kernel has
// what was written. The order of the system calls can.
func TestAResponseThatMattersWaitsForTheDiskUnlessDurabilityIsRelaxed(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed, and nothing else shows the order of system calls")
	}
	f := func(durability string, slowness time.Duration, waits bool) {
		t.Run(durability, func(t *testing.T) {
			t.Parallel()
			calls := traceExchange(t, durability, slowness)
			answered, synced, released := -1, 0, -1
			for i, call := range calls {
				hasMarker, isRead := strings.Contains(call, diskMarker), strings.Contains(call, "read") || strings.Contains(call, "recv")
				switch {
				case hasMarker && isRead && answered < 0:
					answered = i
				case hasMarker && !isRead && released < 0:
					released = i
				case strings.Contains(call, "fdatasync") && strings.Contains(call, "= 0") && answered >= 0 && released < 0:
					synced++
				}
			}
			if answered < 0 || released < 0 {
				t.Fatalf("the trace of %d calls does not show the exchange", len(calls))
			}
			if waited := synced >= 2; waited != waits { // bbolt syncs its data, then its meta page
				t.Errorf("%d syncs came between the app's answer and its end for the participant", synced)
			}
		})
	}
	f("strict", 0, true)
	f("relaxed", 100*time.Millisecond, false)
}

// diskMarker is the end of an answer of the app.
const diskMarker = "until-it-is-on-disk"

// traceExchange lists the system calls of a program that hands on one page that
// is shown, by a disk that takes slowness for each sync.
func traceExchange(t *testing.T, durability string, slowness time.Duration) []string {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"surveyId":7,"instanceId":7,"participantId":"p","page":{"id":"%s"}}`, diskMarker)
	}))
	defer app.Close()
	dir := t.TempDir()
	writeFile(t, dir, "secret", recordings.Secret)
	writeFile(t, dir, "config.yaml", fmt.Sprintf("{listen: '127.0.0.1:0', admin: 'localhost:0', app: '%s', state: state, durability: %s, "+
		"targets: {a: {url: '%s', secret: file:secret}}, rules: [{to: [a]}]}", app.URL, durability, app.URL))
	trace := filepath.Join(dir, "trace")
	cmd := command("-config", filepath.Join(dir, "config.yaml"))
	calls := "trace=fdatasync,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg"
	slow := fmt.Sprintf("inject=fdatasync:delay_enter=%d", slowness.Microseconds())
	cmd.Args = append([]string{"strace", "-D", "-f", "-s", "4096", "-o", trace, "-e", calls, "-e", slow}, cmd.Args...)
	cmd.Path, cmd.Err = exec.LookPath("strace")
	p := startCommand(t, cmd)
	fetch(t, http.MethodGet, "http://"+p.participants+"/api/progress/7/7/p", "")
	p.stop()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

func TestParticipantsAreServedWhateverIsWrongWithTheState(t *testing.T) {
	f := func(name string, spoil func(s *stage)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "script-mandatory")
			spoil(s)
			s.start()
			s.replayAll()
			s.process.stop()
			if !strings.Contains(s.process.output.String(), "level=ERROR") && !strings.Contains(s.process.output.String(), "level=WARN") {
				t.Errorf("the log does not say what is wrong:\n%s", s.process.output)
			}
		})
	}
	f("its folder cannot be made", func(s *stage) { s.write("state", "a file stands in the way") })
	f("its file is no store", func(s *stage) {
		if err := os.Mkdir(filepath.Join(s.dir, "state"), 0o700); err != nil {
			t.Fatal(err)
		}
		s.write("state/outbox.db", strings.Repeat("no store ", 10_000))
	})
	f("another sidehook has it", func(s *stage) {
		first := startProcess(s.t, "-config", filepath.Join(s.dir, "config.yaml"))
		s.t.Cleanup(first.kill)
	})
}

// Participants take a survey while the configuration is changed in every way,
// to wrong ones too.
func TestAReloadFailsNoRequestAndLosesNoEvent(t *testing.T) {
	const reloads = 24
	s := newStage(t, "script-crowd")
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
	s.write("other-secret", "another")
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
	answered    = regexp.MustCompile(`msg="configuration (not )?reloaded`)
	notReloaded = regexp.MustCompile("sidehook_config_last_reload_successful 0")
)

// reload changes the configuration, by turns by a signal and by the change
// alone, and waits until the program has said that it counts, or why not.
func (s *stage) reload(n int, text string) {
	s.t.Helper()
	before := len(answered.FindAllString(s.process.output.String(), -1))
	s.write("config.yaml~", text)
	if err := os.Rename(filepath.Join(s.dir, "config.yaml~"), filepath.Join(s.dir, "config.yaml")); err != nil {
		s.t.Error(err)
	}
	if n%2 == 0 {
		if err := s.process.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			s.t.Error(err)
		}
	}
	s.process.output.await(s.t, answered, before+1)
}

func TestARemovedTargetKeepsItsQueueAndGetsItWhenItReturns(t *testing.T) {
	s := newStage(t, "script-mandatory")
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

func TestMetricsTellOfAFileThatIsNotTaken(t *testing.T) {
	s := newStage(t, "script-mandatory")
	s.start()
	s.reload(1, "rulse: []")
	if got := fetch(t, http.MethodGet, "http://"+s.process.admin+"/metrics", ""); !notReloaded.Match(got) {
		t.Errorf("the metrics do not say it:\n%s", got)
	}
	s.replayAll()
	s.finish()
}

func TestTheAppIsSpokenToAsTheConfigurationSays(t *testing.T) {
	seen := make(chan string, 1)
	app := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" { // sidehook itself asks for the release
			seen <- r.Host + ", " + strings.Join(r.Header.Values("X-Forwarded-For"), "; ")
		}
	}))
	defer app.Close()
	s := newStage(t, "script-mandatory") // any would do: nothing of it is replayed
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
	s := newStage(t, "script-mandatory") // any would do: nothing of it is replayed
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

func TestWhatCannotStartSaysWhy(t *testing.T) {
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
		if code := run(args, &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%q: exit code %d and %q, want 1 and %q", args, code, stderr.String(), want)
		}
	}
	good := fmt.Sprintf("{listen: %s, admin: 'localhost:0', state: state, app: %s, targets: {a: {url: %s, secret: file:config.yaml}}, rules: [{to: [a]}]}", address, taken.URL, taken.URL)
	f(good, []string{"-config", file}, "cannot listen for participants: listen tcp "+address+": bind: address already in use")
	f("app: 1", []string{"-config", file}, file+":1:6: app: must be")
	f("app: 1", []string{"check", file}, file+":1:6: app: must be")
	f("", []string{"-config", filepath.Join(dir, "none.yaml")}, "cannot read the configuration: stat ")
	f("", []string{"check"}, "say which file to check")
	f("", []string{"chek"}, `there is no command "chek"`)
	f("", []string{"-config", file, "more"}, `cannot do anything with "more"`)
	f("", []string{"health", "127.0.0.1:1"}, "connection refused")
}

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

func TestTryTellsWhatARecordingComesTo(t *testing.T) {
	const folder = "rules/trial/testdata/"
	f := func(golden string, args ...string) {
		t.Helper()
		var stdout, stderr strings.Builder
		if code := run(append([]string{"try"}, args...), &stdout, &stderr); code != 0 {
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

func TestTryWithAWrongFileSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	f := func(har, config, want string) {
		t.Helper()
		for name, text := range map[string]string{"a.har": har, "config.yaml": config} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var stdout, stderr strings.Builder
		code := run([]string{"try", filepath.Join(dir, "a.har"), "-config", filepath.Join(dir, "config.yaml")}, &stdout, &stderr)
		if code != 1 || !strings.Contains(stderr.String(), want) || stdout.Len() > 0 {
			t.Errorf("%q: exit code %d, %q and %q, want 1 and %q", har, code, stdout.String(), stderr.String(), want)
		}
	}
	const good = "{app: 'http://a', targets: {a: {url: 'http://b', secret: env:NOT_SET}}, rules: [{to: [a]}]}"
	f("<html>", good, "a.har: cannot read the HAR file: it is not JSON: line 1: ")
	f("{}", good, "it has no log.entries, so it is no HAR file; save one in the network panel")
	f(`{"log":{"entries":[]}}`, good, "it has no entries; open the developer tools before")
	f("{}", "rulse: []", `config.yaml:1:1: rulse: unknown key; did you mean "rules"?`)
	f("{}", strings.Replace(good, "app:", "profile: ./none.yaml, app:", 1), "none.yaml cannot be read")
	for _, args := range [][]string{{"try"}, {"try", "a.har", "b.har"}, {"try", "-json"}} {
		var stderr strings.Builder
		if code := run(args, io.Discard, &stderr); code != 1 || !strings.Contains(stderr.String(), "say which HAR file to try") {
			t.Errorf("%q: exit code %d, %q", args, code, stderr.String())
		}
	}
	var stderr strings.Builder
	if code := run([]string{"try", filepath.Join(dir, "none.har")}, io.Discard, &stderr); code != 1 || !strings.Contains(stderr.String(), "cannot open the HAR file") {
		t.Errorf("exit code %d, %q", code, stderr.String())
	}
}

func TestCheckTellsWhatAGoodFileDoes(t *testing.T) {
	t.Setenv("SIDEHOOK_ADMIN_TOKEN", "0123456789abcdef")
	t.Setenv("CRM_SECRET", "a secret")
	t.Setenv("CRM_SECRET_OLD", "an old secret")
	t.Setenv("ARCHIVE_SECRET", "another secret")
	t.Setenv("PSEUDONYM_KEY", "a secret of its own")
	var stdout, stderr strings.Builder
	if code := run([]string{"check", "config.example.yaml"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	if !strings.Contains(stdout.String(), "https://crm.example.org") || strings.Contains(stdout.String(), "a secret") {
		t.Errorf("the summary names no target, or shows a secret:\n%s", stdout.String())
	}
}

// An operator's session, each command a process of its own, as they would be.
func TestAnOperatorsCommandsAskTheProcessThatRuns(t *testing.T) {
	s := newStage(t, "script-mandatory")
	var takes atomic.Bool
	s.receiver.Misbehave = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		if !takes.Load() {
			w.WriteHeader(http.StatusUnprocessableEntity) // refused for good: dead after two retries
		}
		return !takes.Load()
	}
	s.start()
	s.replayAll()
	say := func(line string, want ...string) string {
		t.Helper()
		command := exec.Command(os.Args[0], append(strings.Fields(line), "-admin", s.process.admin)...)
		command.Env = append(os.Environ(), "SIDEHOOK_TEST_RUN=1")
		output, _ := command.CombinedOutput()
		for _, part := range want {
			if !strings.Contains(string(output), part) {
				t.Errorf("sidehook %s\n%s\nis without %q", line, output, part)
			}
		}
		return string(output)
	}
	for began := time.Now(); !strings.Contains(say("deliveries list -state pending"), "there are none"); {
		if time.Since(began) > patience {
			t.Fatal("not all are dead")
		}
	}
	say("targets", "receiver  up", "status 422")
	id := gjson.Get(say("deliveries list -state dead -json"), "0.id").String()
	say("deliveries show "+id, "reason", "status 422")
	takes.Store(true)
	say("deliveries redeliver -state dead -dry-run", fmt.Sprintf("%d deliveries would be sent again", s.recording.Navigations()))
	say("deliveries redeliver -state dead -rate unlimited", "will be sent again")
	say("backup "+filepath.Join(s.dir, "copy"), "copy has ")
	say("targets disable receiver", "receiver is disabled")
	say("targets enable receiver", "receiver is enabled")
	waiting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s.receiver.Wait(waiting.Done(), s.recording.Navigations())
	if got := len(s.receiver.Bodies()); got != s.recording.Navigations() {
		t.Errorf("%d webhooks came in the end, want %d", got, s.recording.Navigations())
	}
	participant := gjson.Get(s.receiver.Bodies()[0], "ParticipantId").String()
	say("forget "+participant, "erased: 1 journeys with ")
	s.process.stop()
	if strings.Contains(s.process.output.String(), participant) {
		t.Errorf("the log has a participant's id:\n%s", s.process.output)
	}
	if content, err := os.ReadFile(filepath.Join(s.dir, "state", "outbox.db")); err != nil || strings.Contains(string(content), participant) {
		t.Errorf("the state has a participant's id (%v)", err)
	}
}

var openAt = regexp.MustCompile(`Open http://(\S+)/survey/fzd`)

func TestTheDemoPrintsAVerifiedWebhookForEachPageLeft(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	printed, stdout := io.Pipe()
	var demo sync.WaitGroup
	demo.Go(func() {
		if err := demonstrate(ctx, stdout, io.Discard); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
		stdout.Close()
	})
	defer demo.Wait()
	defer stop()
	lines := bufio.NewScanner(printed)
	find := func(pattern *regexp.Regexp) string {
		for lines.Scan() {
			if match := pattern.FindStringSubmatch(lines.Text()); match != nil {
				return match[len(match)-1]
			}
		}
		t.Fatalf("the demo does not print %s", pattern)
		return ""
	}
	base := "http://" + find(openAt)
	id := gjson.GetBytes(fetch(t, http.MethodGet, base+"/api/progress/5/3/", ""), "newParticipantId").String()
	page := gjson.GetBytes(fetch(t, http.MethodGet, base+"/api/progress/5/3/"+id, ""), "page")
	item := page.Get(`components.#(type=="Confirmation").id`).String()
	fetch(t, http.MethodPost, base+"/api/log/3/"+id+"/"+page.Get("id").String()+"/decsys.platform.PAGE_LOAD", "{}")
	fetch(t, http.MethodPost, base+"/api/log/3/"+id+"/"+item+"/decsys.platform.COMPONENT_RESULTS", `{"confirmed":true}`)
	fetch(t, http.MethodPost, base+"/api/progress/5/3/"+id+"/next", "")
	find(regexp.MustCompile(`^webhook msg_\S+, signature verified$`))
	if got := find(regexp.MustCompile(`"ParticipantId": "(.*)"`)); got != id {
		t.Errorf("the webhook is of %s, want %s", got, id)
	}
	go func() { _, _ = io.Copy(io.Discard, printed) }() // until the demo has ended
}

// Each metric stands in the README with its kind, labels and help, and the other
// way round; none says who a participant is.
func TestMetricsAreThoseOfTheREADME(t *testing.T) {
	s := newStage(t, "script-mandatory")
	s.start()
	s.replayAll()
	text := string(fetch(t, http.MethodGet, "http://"+s.process.admin+"/metrics", ""))
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| .(sidehook_\w+). \| (\w+) \| ([\w, ]*?) *\| (.*) \|$`).FindAllStringSubmatch(string(readme), -1) {
		want[row[1]] = row[2] + " of " + row[3] + ": " + row[4]
	}
	if diff := cmp.Diff(want, scrape(t, text)); diff != "" {
		t.Errorf("metrics and the README differ (-README +metrics):\n%s", diff)
	}
	for _, one := range s.recording.Exchanges {
		if match, ok := s.profile.Match([]byte(one.Method), []byte(one.Target)); ok && match.Participant() != "" && strings.Contains(text, match.Participant()) {
			t.Fatal("the metrics name a participant")
		}
	}
	s.finish()
}

var (
	typeLine = regexp.MustCompile(`^# TYPE (sidehook_\w+) (counter|gauge|histogram)$`)
	helpLine = regexp.MustCompile(`^# HELP (sidehook_\w+) (\S.*\.)$`)
	// foreignLine is about a metric of the Go runtime or of the process.
	foreignLine = regexp.MustCompile(`^# (?:HELP|TYPE) (?:go|process)_`)
	sampleLine  = regexp.MustCompile(`^([a-z]\w*)(?:\{((?:[a-zA-Z]\w*="(?:[^"\\]|\\[\\"n])*"(?:, ?)?)+)\})? (\d[\d.e+-]*|\+Inf|NaN)$`)
	labelPair   = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

// scraper reads metrics as strictly as the text format of Prometheus allows.
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

// stage is a recorded app, the program in a process of its own in front of it,
// and a receiver behind it.
type stage struct {
	t         *testing.T
	recording *recordings.Recording
	profile   *rules.Profile
	app       *recordings.App
	receiver  *recordings.Receiver
	replay    *recordings.Replay
	dir       string
	process   *process
}

func newStage(t *testing.T, name string) *stage {
	t.Helper()
	recording, err := recordings.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{
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

func (s *stage) write(name, text string) {
	s.t.Helper()
	writeFile(s.t, s.dir, name, text)
}

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *stage) start() {
	s.t.Helper()
	s.process = startProcess(s.t, "-config", filepath.Join(s.dir, "config.yaml"))
	s.replay.Address = s.process.participants
}

func (s *stage) replayAll() {
	s.t.Helper()
	for _, step := range s.recording.Steps() {
		s.do(step)
	}
}

func (s *stage) do(step recordings.Step) {
	s.t.Helper()
	if err := s.replay.Do(step); err != nil {
		s.t.Fatal(err)
	}
}

// finish waits for the webhooks, stops the program in an orderly way, and looks
// at what the receiver got and the outbox holds.
func (s *stage) finish() {
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

// enqueued counts what the outbox has ever held.
func (s *stage) enqueued() (n int) {
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

// openState reads the state that a process left in dir.
func openState(t *testing.T, dir string, read func(*outbox.Store)) {
	t.Helper()
	store := outbox.New(outbox.Options{Dir: filepath.Join(dir, "state"), Logger: slog.New(slog.DiscardHandler)})
	stop := background(func(err error) { t.Error(err) }, store.Run)
	defer stop()
	if err := store.Do(t.Context(), func(*outbox.Tx) {}); err != nil {
		t.Fatal(err)
	}
	read(store)
}

// troubles are the targets of an ordeal, and how they answer their n-th attempt.
var troubles = map[string]func(n int, w http.ResponseWriter, r *http.Request) bool{
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

// ordeal is a crowd whose proxy is killed again and again.
type ordeal struct {
	t         *testing.T
	total     *tally
	crowd     *recordings.Crowd
	receivers map[string]*recordings.Receiver
	dir       string

	// serving is locked while there is no process.
	serving sync.RWMutex
	process *process
	// atRisk counts, for each target, the kills at which a delivery was pending;
	// before is how often it had been taken at the last kill.
	atRisk map[string]map[string]int
	before map[string]map[string]int
}

// tally is what came of all kills.
type tally struct{ kills, amidst, wanted, arrived, attempts, inFlight, repeats int }

func (t *tally) String() string {
	return fmt.Sprintf("%d kills, %d of them while participants were asking: %d of %d webhooks arrived at %d targets, in %d attempts; "+
		"%d were in flight at a kill, and %d came again", t.kills, t.amidst, t.arrived, t.wanted, len(troubles), t.attempts, t.inFlight, t.repeats)
}

func newOrdeal(t *testing.T, total *tally, names []string) *ordeal {
	t.Helper()
	recording, err := recordings.Merge(names...)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	o := &ordeal{t: t, total: total, dir: t.TempDir(), receivers: map[string]*recordings.Receiver{}, atRisk: map[string]map[string]int{}, before: map[string]map[string]int{}}
	o.crowd = &recordings.Crowd{Recording: recording, App: recordings.NewApp(recording), Profile: profile, Address: o.address}
	t.Cleanup(o.crowd.App.Close)
	config := fmt.Sprintf("{listen: '127.0.0.1:0', admin: 'localhost:0', app: '%s', state: state, rules: [{to: [good, failing, hanging, slow]}], targets: {", o.crowd.App.URL)
	for name, misbehave := range troubles {
		receiver := recordings.NewReceiver()
		receiver.Misbehave = misbehave
		t.Cleanup(receiver.Close)
		o.receivers[name], o.atRisk[name] = receiver, map[string]int{}
		config += fmt.Sprintf("%s: {url: '%s', secret: file:secret, timeout: 2s, retry: {schedule: [%s5ms]}, breaker: {open: 5ms, max_open: 20ms}},",
			name, receiver.URL, strings.Repeat("5ms, ", 20))
	}
	writeFile(t, o.dir, "config.yaml", config+"}}")
	writeFile(t, o.dir, "secret", recordings.Secret)
	return o
}

// address waits while there is no process.
func (o *ordeal) address(ctx context.Context) (string, error) {
	o.serving.RLock()
	defer o.serving.RUnlock()
	return o.process.participants, ctx.Err()
}

func (o *ordeal) run(kills int) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), 6*patience)
	defer cancel()
	o.start()
	walked := make(chan error, 1)
	go func() { walked <- o.crowd.Walk(ctx) }()
	for until := o.total.kills + kills; o.total.kills < until; o.kill() {
		time.Sleep(rand.N(400 * time.Millisecond)) // the moment to be killed at
		if len(walked) == 0 {
			o.total.amidst++
		}
	}
	if err := <-walked; err != nil {
		o.t.Fatal(err)
	}
	for _, receiver := range o.receivers {
		receiver.Wait(ctx.Done(), o.crowd.Recording.Navigations())
	}
	o.process.stop()
	o.check()
}

func (o *ordeal) start() {
	o.t.Helper()
	o.process = startProcess(o.t, "-config", filepath.Join(o.dir, "config.yaml"))
}

// kill kills the process and starts it again; now and then it kills that one too, before it serves.
func (o *ordeal) kill() {
	o.t.Helper()
	o.serving.Lock()
	defer o.serving.Unlock()
	o.process.kill()
	o.look()
	if rand.N(4) == 0 {
		early := command("-config", filepath.Join(o.dir, "config.yaml"))
		if err := early.Start(); err != nil {
			o.t.Fatal(err)
		}
		time.Sleep(rand.N(50 * time.Millisecond)) // as in run
		_ = early.Process.Kill()
		_ = early.Wait()
		o.look()
	}
	o.start()
}

// look notes what a killed process left undone.
func (o *ordeal) look() {
	o.t.Helper()
	o.total.kills++
	openState(o.t, o.dir, func(store *outbox.Store) {
		for name, receiver := range o.receivers {
			receiver.AwaitGone()
			taken := receiver.Taken()
			for _, id := range pending(o.t, store, name) {
				o.atRisk[name][id]++
				if taken[id] > o.before[name][id] {
					o.total.inFlight++
				}
			}
			o.before[name] = taken
		}
	})
}

// pending lists the ids of what a target is yet to get.
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

// check looks at what the receivers got: all of it, as Decsys would have sent
// it, in order; and again only what a kill kept us from writing down.
func (o *ordeal) check() {
	o.t.Helper()
	for name, receiver := range o.receivers {
		for _, difference := range o.crowd.Recording.Differences(o.crowd.Profile, receiver.Bodies()) {
			o.t.Errorf("%s: %s", name, difference)
		}
		attempts, wrong := receiver.Attempts()
		if len(wrong) > 0 {
			o.t.Errorf("%s: %q", name, wrong)
		}
		for id, times := range receiver.Taken() {
			o.total.repeats += times - 1
			if times > 1+o.atRisk[name][id] {
				o.t.Errorf("%s took a webhook %d times, and %d kills account for that", name, times, o.atRisk[name][id])
			}
		}
		o.total.attempts += attempts
		o.total.wanted += o.crowd.Recording.Navigations()
		o.total.arrived += len(receiver.Bodies())
	}
	if o.total.repeats > o.total.inFlight {
		o.t.Errorf("%d webhooks came again, but only %d were in flight at a kill", o.total.repeats, o.total.inFlight)
	}
}

// process is this program, running.
type process struct {
	t            *testing.T
	cmd          *exec.Cmd
	participants string
	admin        string
	output       *transcript
}

var servedAt = regexp.MustCompile(`address=(\S+) admin=(\S+)`)

// command is this program as another process.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "SIDEHOOK_TEST_RUN=1")
	return cmd
}

// startProcess runs the program until it serves participants.
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

// kill ends the process with SIGKILL and waits until it is gone.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill() // it may have ended by itself
		_ = p.cmd.Wait()
	}
}

// stop ends the process with SIGTERM and checks that it ended well.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the program ended with %v:\n%s", err, p.output)
	}
}

// transcript is a text that another goroutine writes, and that can be waited for.
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

// String is all that was written so far.
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
			t.Fatalf("the program does not say %s %d times:\n%s", pattern, n, text)
		}
	}
}
