package admin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/rules/config"
)

const canary = "canary-token-0123456789"

// office is an Admin on a real port, with a real store that has one delivery.
type office struct {
	*Admin
	t         *testing.T
	ready     error
	stopStore func()
	mayMove   error
	// forgotten are the participants that were asked to be forgotten.
	forgotten    []string
	cannotForget error
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t}
	logger := slog.New(slog.DiscardHandler)
	registry := prometheus.NewRegistry()
	store := outbox.New(outbox.Options{Dir: t.TempDir(), Metrics: registry, Logger: logger})
	o.Admin = New(Config{
		Listen: "127.0.0.1:0", Token: config.NewSecret(canary), Logger: logger, Metrics: registry, Store: store,
		Ready: func(context.Context) error { return o.ready },
		Targets: func() []deliver.TargetStatus {
			return []deliver.TargetStatus{{Name: "crm", State: deliver.Up, Pending: 1}, {Name: "erp", State: deliver.Down}}
		},
		MayMove: func(from, to string) error { return o.mayMove },
		Forget: func(_ context.Context, participant, survey string) (record.Forgotten, error) {
			o.forgotten = append(o.forgotten, participant+" "+survey)
			return record.Forgotten{Journeys: 1, Answers: 2, Pending: 3}, o.cannotForget
		},
	})
	if err := o.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running, storing sync.WaitGroup
	o.stopStore = func() {
		stop()
		storing.Wait()
	}
	storing.Go(func() {
		if err := store.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		if err := o.Serve(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := o.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		o.stopStore()
		running.Wait()
	})
	if err := store.Do(t.Context(), func(tx *outbox.Tx) {
		tx.Enqueue(outbox.Delivery{ID: "msg_1", Target: "crm", Rule: "all", Lane: "p", Survey: "fzd", Event: "completion", Body: []byte("personal"), Created: time.Now()})
	}); err != nil {
		t.Fatal(err)
	}
	return o
}

// ask asks as a request that edit makes; nil edits nothing.
func (o *office) ask(method, path string, edit func(*http.Request)) (status int, body string) {
	o.t.Helper()
	request, err := http.NewRequestWithContext(o.t.Context(), method, "http://"+o.Addr().String()+path, http.NoBody)
	if err != nil {
		o.t.Fatal(err)
	}
	if edit != nil {
		edit(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		o.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	if strings.Contains(string(text), "personal") || strings.Contains(string(text), canary) {
		o.t.Errorf("%s %s shows what it must not: %s", method, path, text)
	}
	return response.StatusCode, string(text)
}

func TestEachPageAnswersWhatItSays(t *testing.T) {
	o := newOffice(t)
	f := func(method, path string, status int, want string) {
		t.Helper()
		if got, body := o.ask(method, path, nil); got != status || !strings.Contains(body, want) {
			t.Errorf("%s %s: %d %q, want %d and %q", method, path, got, body, status, want)
		}
	}
	f("GET", "/live", 200, "ok")
	f("GET", "/ready", 200, "ok")
	f("GET", "/metrics", 200, "# TYPE sidehook_store_open gauge\nsidehook_store_open 1\n")
	f("GET", "/metrics", 200, "sidehook_redelivered_total 0")
	f("GET", "/targets", 200, `[{"name":"crm","state":"up"`)
	f("GET", "/deliveries?target=crm", 200, `"id":"msg_1","target":"crm","rule":"all","event":"completion","survey":"fzd","state":"waiting"`)
	f("GET", "/deliveries?target=crm&state=dead", 200, `{"deliveries":[],"after":""}`)
	f("GET", "/deliveries", 200, `"id":"msg_1"`)
	f("GET", "/deliveries?rule=other", 200, `{"deliveries":[],"after":""}`)
	f("GET", "/deliveries?since=1h", 200, `"id":"msg_1"`)
	f("GET", "/deliveries?until=1h", 200, `{"deliveries":[],"after":""}`)
	f("GET", "/deliveries?since=2006-01-02T15:04:05Z&until=2007-01-02T15:04:05%2B01:00", 200, `{"deliveries":[],"after":""}`)
	f("GET", "/deliveries?since=yesterday", 400, "since must be a time such as")
	f("GET", "/deliveries?state=late", 400, "pending, delivered or dead")
	f("GET", "/deliveries?limit=0", 400, "from 1 to 1000")
	f("GET", "/deliveries?after=x", 400, "cannot continue")
	f("GET", "/deliveries/msg_1", 200, `"id":"msg_1"`)
	f("GET", "/deliveries/msg_2", 404, "no delivery with this id")
	f("GET", "/deliveries/msg_1?target=erp", 404, "no delivery with this id")
	f("POST", "/deliveries/redeliver", 400, "say which")
	f("POST", "/deliveries/discard?after=1", 400, "say which")
	f("POST", "/deliveries/redeliver?id=msg_1", 409, "still pending")
	f("POST", "/deliveries/redeliver?id=msg_1&to=none", 404, "no target of this name")
	f("POST", "/deliveries/redeliver?id=msg_1&rate=fast", 400, "rate must be")
	f("POST", "/deliveries/redeliver?id=msg_2", 404, "no delivery with this id")
	f("POST", "/deliveries/redeliver?state=dead", 200, `{"count":0,"pending":0,"after":""}`)
	f("POST", "/deliveries/discard?target=crm", 200, `{"count":0,"pending":0,"after":""}`) // that is: dead ones
	f("POST", "/targets/none/enable", 404, "no target of this name")
	f("POST", "/targets/none/disable", 404, "no target of this name")
	f("POST", "/forget", 400, "say who")
	f("POST", "/live", 405, "")
	f("GET", "/", 404, "")
}

func TestADeadDeliveryCanBeSentAgain(t *testing.T) {
	o := newOffice(t)
	if err := o.config.Store.Do(t.Context(), func(tx *outbox.Tx) { tx.Dead(1, outbox.Attempt{At: time.Now(), Status: 500, Reason: "status 500"}) }); err != nil {
		t.Fatal(err)
	}
	if _, body := o.ask("GET", "/deliveries/msg_1", nil); !strings.Contains(body, `"state":"dead"`) || !strings.Contains(body, `"reason":"status 500"`) {
		t.Errorf("it is not dead: %s", body)
	}
	if status, _ := o.ask("POST", "/deliveries/redeliver?id=msg_1", nil); status != http.StatusOK {
		t.Errorf("status %d, want 200", status)
	}
	if _, body := o.ask("GET", "/deliveries/msg_1", nil); !strings.Contains(body, `"state":"waiting"`) {
		t.Errorf("it does not wait again: %s", body)
	}
}

func TestATargetThatWantedNothingMoreCanBeEnabled(t *testing.T) {
	o := newOffice(t)
	if err := o.config.Store.Do(t.Context(), func(tx *outbox.Tx) { tx.Disable("crm", outbox.CauseUnsubscribed, "mark", time.Now()) }); err != nil {
		t.Fatal(err)
	}
	if status, body := o.ask("POST", "/targets/crm/enable", nil); status != http.StatusAccepted {
		t.Errorf("status %d, want 202: %s", status, body)
	}
	if target, err := o.config.Store.Target("crm"); err != nil || !target.Disabled.IsZero() {
		t.Errorf("it is still disabled: %+v, %v", target, err)
	}
}

func TestWhatNeedsTheStoreSaysThatItCannotBeAsked(t *testing.T) {
	o := newOffice(t)
	o.stopStore()
	for _, path := range []string{"/deliveries/redeliver?id=msg_1", "/deliveries/discard?id=msg_1", "/targets/crm/enable", "/targets/crm/disable"} {
		if status, _ := o.ask("POST", path, nil); status != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d, want 503", path, status)
		}
	}
	for _, line := range []string{"forget p-1", "deliveries list", "backup " + t.TempDir() + "/copy"} {
		o.says(line, "503", "the store cannot answer: ")
	}
	if status, body := o.ask("GET", "/ready", nil); status != http.StatusOK || !strings.Contains(body, "nothing is recorded") {
		t.Errorf("/ready: %d %q", status, body)
	}
}

func TestDeliveriesAreForLoopbackOrTheToken(t *testing.T) {
	o := newOffice(t)
	f := func(name string, status int, edit func(*http.Request)) {
		t.Helper()
		if got, _ := o.ask("GET", "/deliveries?target=crm", edit); got != status {
			t.Errorf("%s: status %d, want %d", name, got, status)
		}
	}
	f("loopback", 200, nil)
	f("loopback by name", 200, func(r *http.Request) { r.Host = "localhost:9090" })
	f("a page that rebinds its name", 403, func(r *http.Request) { r.Host = "evil.example.org" })
	f("a page of another origin", 403, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example.org") })
	f("another host with the token", 200, func(r *http.Request) { r.Host = "10.0.0.1:9090"; r.Header.Set("Authorization", "Bearer "+canary) })
	f("a page of another port", 403, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") })
	f("a page of another site", 403, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	f("an address typed by hand", 200, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") })
	f("a proxy on this machine", 403, func(r *http.Request) { r.Header.Set("X-Forwarded-For", "10.0.0.1") })
	f("a wrong token", 401, func(r *http.Request) { r.Header.Set("Authorization", "Bearer guess") })
	f("another host without it", 403, func(r *http.Request) { r.Host = "10.0.0.1:9090" })
}

func TestWithoutATokenNoTokenOpens(t *testing.T) {
	o := newOffice(t)
	o.config.Token = config.Secret{}
	if status, _ := o.ask("GET", "/targets", func(r *http.Request) { r.Header.Set("Authorization", "Bearer <secret>") }); status != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", status)
	}
}

func TestLoopbackIsToldByAddressAndName(t *testing.T) {
	f := func(hostPort string, want bool) {
		t.Helper()
		if got := isLoopback(hostPort); got != want {
			t.Errorf("isLoopback(%q) = %v, want %v", hostPort, got, want)
		}
	}
	f("127.0.0.1:9090", true)
	f("127.8.8.8", true)
	f("[::1]:9090", true)
	f("[::1]", true)
	f("[::ffff:127.0.0.1]:1", true)
	f("LOCALHOST", true)
	f("10.0.0.1:9090", false)
	f("localhost.evil.example.org:80", false)
	f("127.0.0.1.evil.example.org", false)
	f("", false)
}

func TestHealthSaysWhatIsWrong(t *testing.T) {
	o := newOffice(t)
	f := func(want string) {
		t.Helper()
		err := Health(t.Context(), o.Addr().String())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("")
	o.ready = errors.New("cannot connect to the app: connection refused")
	f("/ready: cannot connect to the app: connection refused")
	o.ready = nil
	o.Drain()
	f("/ready: shutting down")
	if err := Health(t.Context(), "9090"); err == nil || !strings.Contains(err.Error(), "must be host:port") {
		t.Errorf("got %v, want an error about the address", err)
	}
}

func TestATakenPortIsASentence(t *testing.T) {
	o := newOffice(t)
	second := New(Config{Listen: o.Addr().String(), Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err := second.Listen(); err == nil || !strings.HasPrefix(err.Error(), "cannot listen for operators: ") {
		t.Errorf("got %v", err)
	}
}

func TestAnotherTokenCountsAtOnce(t *testing.T) {
	o := newOffice(t)
	f := func(token string, want int) {
		t.Helper()
		status, _ := o.ask("GET", "/targets", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
		if status != want {
			t.Errorf("%s: status %d, want %d", token, status, want)
		}
	}
	f(canary, 200)
	o.SetToken(config.NewSecret("another-token-456"))
	f(canary, 401)
	f("another-token-456", 200)
	o.SetToken(config.Secret{})
	f("another-token-456", 401)
}
