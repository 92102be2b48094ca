package admin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/reload"
)

const canary = "canary-token-0123456789"

// server is an Admin on a real port, with a real store that has one delivery.
type server struct {
	*Admin
	t         *testing.T
	document  *document
	ready     error
	stopStore func()
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, document: readDocument(t)}
	logger := slog.New(slog.DiscardHandler)
	registry := prometheus.NewRegistry()
	store := outbox.New(outbox.Options{Dir: t.TempDir(), Metrics: registry, Logger: logger})
	s.Admin = New(Config{
		Listen: "127.0.0.1:0", Logger: logger, Metrics: registry, Store: store,
		Ready: func(context.Context) error { return s.ready },
		Targets: func() []deliver.TargetStatus {
			return []deliver.TargetStatus{{Name: "crm", State: deliver.Up, Pending: 1}, {Name: "erp", State: deliver.Down}}
		},
		Activity: live.New(),
		Reloaded: func() reload.Outcome { return reload.Outcome{} },
		Try:      func(context.Context, *config.Config, io.Reader, io.Writer) error { return nil },
		MayMove:  func(from, to string) error { return nil },
		Forget: func(context.Context, string, string) (record.Forgotten, error) {
			return record.Forgotten{Journeys: 1, Answers: 2, Pending: 3}, nil
		},
	})
	s.setToken(canary)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running, storing sync.WaitGroup
	s.stopStore = func() {
		stop()
		storing.Wait()
	}
	storing.Go(func() {
		if err := store.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		if err := s.Serve(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		s.stopStore()
		running.Wait()
	})
	if err := store.Do(t.Context(), func(tx *outbox.Tx) {
		tx.Enqueue(outbox.Delivery{ID: "msg_1", Target: "crm", Rule: "all", Lane: "p", Survey: "fzd", Event: "completion", Body: []byte("personal"), Created: time.Now()})
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

// setToken applies a configuration with this token.
func (s *server) setToken(token string) {
	s.Apply(&config.Config{AdminToken: config.NewSecret(token), Targets: map[string]config.Target{"crm": {URL: mustParse(s.t, "https://user:password@crm.example.org/hooks")}}})
}

func mustParse(t *testing.T, text string) config.URL {
	t.Helper()
	url, err := config.ParseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// request sends a request, which edit may change first. The response has to keep to
// the OpenAPI document.
func (s *server) request(method, path string, edit func(*http.Request)) (status int, body string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.Addr().String()+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	if edit != nil {
		edit(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if strings.Contains(string(text), "personal") || strings.Contains(string(text), canary) {
		s.t.Errorf("%s %s shows a body or the token: %s", method, path, text)
	}
	s.document.check(s.t, response, string(text))
	return response.StatusCode, string(text)
}

func TestEachEndpointResponds(t *testing.T) {
	s := newServer(t)
	f := func(method, path string, status int, want string) {
		t.Helper()
		if got, body := s.request(method, path, nil); got != status || !strings.Contains(body, want) {
			t.Errorf("%s %s: %d %q, want %d and %q", method, path, got, body, status, want)
		}
	}
	f("GET", "/live", 200, "ok")
	f("GET", "/ready", 200, "ok")
	f("GET", "/metrics", 200, "# TYPE sidehook_store_open gauge\nsidehook_store_open 1\n")
	f("GET", "/metrics", 200, "sidehook_redelivered_total 0")
	f("GET", "/targets", 200, `[{"name":"crm","state":"up","host":"https://crm.example.org"`)
	f("GET", "/targets", 200, `"next_attempt":"2`)
	f("GET", "/deliveries?target=crm", 200, `"id":"msg_1","target":"crm","rule":"all","event":"completion","survey":"fzd","state":"waiting"`)
	f("GET", "/deliveries?target=crm&state=dead", 200, `{"deliveries":[],"after":""}`)
	f("GET", "/deliveries", 200, `"id":"msg_1"`)
	f("GET", "/deliveries?rule=other", 200, `{"deliveries":[],"after":""}`)
	f("GET", "/deliveries?state=waiting", 200, `"id":"msg_1"`)
	f("GET", "/deliveries?target=none", 404, "target \"none\" is not known; known targets: crm, erp")
	f("GET", "/deliveries?since=1h", 200, `"id":"msg_1"`)
	f("GET", "/deliveries?until=1h", 200, `{"deliveries":[],"after":""}`)
	f("GET", "/deliveries?since=2006-01-02T15:04:05Z&until=2007-01-02T15:04:05%2B01:00", 200, `{"deliveries":[],"after":""}`)
	f("GET", "/deliveries?since=yesterday", 400, "since must be a time such as")
	f("GET", "/deliveries?state=late", 400, "unknown state \"late\"; known states: pending, delivered, dead")
	f("GET", "/deliveries?limit=0", 400, "from 1 to 1000")
	f("GET", "/deliveries?after=x", 400, "cannot continue")
	f("GET", "/deliveries/msg_1", 200, `"id":"msg_1"`)
	f("GET", "/deliveries/msg_2", 404, "no delivery has this id")
	f("GET", "/deliveries/msg_1?target=erp", 404, "no delivery has this id")
	f("POST", "/deliveries/redeliver", 400, "select deliveries by id")
	f("POST", "/deliveries/discard?after=1", 400, "select deliveries by id")
	f("POST", "/deliveries/redeliver?id=msg_1", 409, "the delivery is pending")
	f("POST", "/deliveries/redeliver?id=msg_1&to=none", 404, "target \"none\" is not configured; configured targets: crm, erp")
	f("POST", "/deliveries/redeliver?id=msg_1&rate=fast", 400, "rate must be")
	f("POST", "/deliveries/redeliver?id=msg_2", 404, "no delivery has this id")
	f("POST", "/deliveries/redeliver?state=dead", 200, `{"count":0,"pending":0,"after":""}`)
	f("POST", "/deliveries/discard?target=crm", 200, `{"count":0,"pending":0,"after":""}`) // that is: dead ones
	f("POST", "/deliveries/retry", 400, "select deliveries by id")
	f("POST", "/deliveries/retry?id=msg_1", 409, "the delivery is pending")
	f("POST", "/deliveries/retry?target=crm", 200, `{"count":0,"pending":1,"after":""}`)
	f("POST", "/deliveries/retry?target=crm&state=dead", 400, "only pending deliveries can be retried")
	f("POST", "/targets/none/enable", 404, "target \"none\" is not configured; configured targets: crm, erp")
	f("POST", "/targets/none/disable", 404, "target \"none\" is not configured; configured targets: crm, erp")
	f("POST", "/targets/none/test", 404, "target \"none\" is not configured; configured targets: crm, erp")
	f("POST", "/targets/crm/test?event=nosuch", 400, "there is no sample of an event \"nosuch\"")
	f("POST", "/forget", 400, "must name a participant")
	f("POST", "/live", 405, "")
	f("POST", "/deliveries/discard?state=dead&after=x", 400, "after must be")
	f("POST", "/deliveries/discard?state=dead&after=1.x.ff", 400, "after must be")
	f("POST", "/deliveries/discard?state=dead&after=1.1.x", 400, "cannot continue")
	f("GET", "/status", 200, `"app":{"ready":true},"store":{"open":true,`)
	f("GET", "/status", 200, `{"severity":"warning","text":"Target erp is down.","action":`)
	f("GET", "/configuration", 200, `"warnings":[],"reload":null`)
	f("GET", "/deliveries/causes", 200, `{"causes":[],"scanned":0}`)
	f("GET", "/deliveries?survey=fzd&event=completion", 200, `"id":"msg_1"`)
	f("GET", "/deliveries?survey=other", 200, `{"deliveries":[],"after":""}`)
	f("GET", "/none", 404, "")
}

func TestADeadDeliveryCanBeSentAgain(t *testing.T) {
	s := newServer(t)
	if err := s.config.Store.Do(t.Context(), func(tx *outbox.Tx) { tx.Dead(1, outbox.Attempt{At: time.Now(), Status: 500, Reason: "status 500"}) }); err != nil {
		t.Fatal(err)
	}
	if _, body := s.request("GET", "/deliveries/msg_1", nil); !strings.Contains(body, `"state":"dead"`) || !strings.Contains(body, `"reason":"status 500"`) {
		t.Errorf("the delivery is not dead: %s", body)
	}
	if status, _ := s.request("POST", "/deliveries/redeliver?id=msg_1", nil); status != http.StatusOK {
		t.Errorf("status %d, want 200", status)
	}
	if _, body := s.request("GET", "/deliveries/msg_1", nil); !strings.Contains(body, `"state":"waiting"`) {
		t.Errorf("the delivery is not pending again: %s", body)
	}
}

func TestATargetThatDisabledItselfCanBeEnabled(t *testing.T) {
	s := newServer(t)
	if err := s.config.Store.Do(t.Context(), func(tx *outbox.Tx) { tx.Disable("crm", outbox.CauseUnsubscribed, "mark", time.Now()) }); err != nil {
		t.Fatal(err)
	}
	if status, body := s.request("POST", "/targets/crm/enable", nil); status != http.StatusAccepted {
		t.Errorf("status %d, want 202: %s", status, body)
	}
	if target, err := s.config.Store.Target("crm"); err != nil || !target.Disabled.IsZero() {
		t.Errorf("the target is still disabled: %+v, %v", target, err)
	}
}

func TestEndpointsThatNeedTheStoreReportThatItIsClosed(t *testing.T) {
	s := newServer(t)
	s.stopStore()
	for _, path := range []string{"/deliveries/redeliver?id=msg_1", "/deliveries/discard?id=msg_1", "/targets/crm/enable", "/targets/crm/disable"} {
		if status, _ := s.request("POST", path, nil); status != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d, want 503", path, status)
		}
	}
	for _, path := range []string{"/deliveries", "/deliveries/msg_1", "/backup"} {
		if status, body := s.request("GET", path, nil); status != http.StatusServiceUnavailable || !strings.HasPrefix(body, "the store is unavailable: ") {
			t.Errorf("%s: status %d and %q, want 503 and the reason", path, status, body)
		}
	}
	if status, body := s.request("GET", "/ready", nil); status != http.StatusOK || !strings.Contains(body, "ok\nnot recording: ") {
		t.Errorf("/ready: %d %q", status, body)
	}
}

func TestDeliveriesNeedLoopbackOrTheToken(t *testing.T) {
	s := newServer(t)
	f := func(name string, status int, edit func(*http.Request)) {
		t.Helper()
		if got, _ := s.request("GET", "/deliveries?target=crm", edit); got != status {
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
	for _, header := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "x-forwarded-server", "X-Real-IP", "Forwarded", "Via"} {
		f("a proxy on this machine that adds "+header, 403, func(r *http.Request) { r.Header.Set(header, "x") })
	}
	f("a proxy that adds a header without a value", 403, func(r *http.Request) { r.Header.Set("X-Forwarded-For", "") })
	f("a wrong token", 401, func(r *http.Request) { r.Header.Set("Authorization", "Bearer guess") })
	f("another host without it", 403, func(r *http.Request) { r.Host = "10.0.0.1:9090" })
}

func TestWithoutATokenInTheConfigurationNoTokenIsAccepted(t *testing.T) {
	s := newServer(t)
	s.Apply(&config.Config{})
	if status, _ := s.request("GET", "/targets", func(r *http.Request) { r.Header.Set("Authorization", "Bearer <secret>") }); status != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", status)
	}
}

func TestLoopbackAddressesAndNamesAreRecognised(t *testing.T) {
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

func TestAPortInUseIsReported(t *testing.T) {
	s := newServer(t)
	second := New(Config{Listen: s.Addr().String(), Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err := second.Listen(); err == nil || !strings.HasPrefix(err.Error(), "cannot listen for operators: ") {
		t.Errorf("got %v", err)
	}
}

func TestANewTokenTakesEffectAtOnce(t *testing.T) {
	s := newServer(t)
	f := func(token string, want int) {
		t.Helper()
		status, _ := s.request("GET", "/targets", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
		if status != want {
			t.Errorf("%s: status %d, want %d", token, status, want)
		}
	}
	f(canary, 200)
	s.setToken("another-token-456")
	f(canary, 401)
	f("another-token-456", 200)
	s.Apply(&config.Config{})
	f("another-token-456", 401)
}

// By default, nginx forwards in HTTP/1.0, and adds nothing that names the client.
func TestAProxyThatForwardsInHTTP10IsNotLocal(t *testing.T) {
	s := newServer(t)
	f := func(version string, status int) {
		t.Helper()
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /targets HTTP/%s\r\nHost: %s\r\nConnection: close\r\n\r\n", version, s.Addr())
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("HTTP/%s: status %d, want %d", version, response.StatusCode, status)
		}
	}
	f("1.1", 200)
	f("1.0", 403)
}

func TestReportThatIsTooLongIsRefused(t *testing.T) {
	s := newServer(t)
	s.config.Try = func(_ context.Context, _ *config.Config, _ io.Reader, report io.Writer) error {
		for {
			if _, err := report.Write(make([]byte, 1<<20)); err != nil {
				return err
			}
		}
	}
	if status, body := s.request("POST", "/try", nil); status != http.StatusBadRequest || !strings.Contains(body, "use sidehook try") {
		t.Errorf("status %d and %.100q", status, body)
	}
}
