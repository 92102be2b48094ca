package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/emitter/replica"
	"github.com/sidehook/sidehook/emitter/replica/memory"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/reload"
)

// node is an Admin of one of several replicas, without a listener.
type node struct {
	*Admin
	t      *testing.T
	line   *memory.Connection
	forget func() (record.Forgotten, error)
	// api is the API as the console has it.
	api    http.Handler
	seeded error
	// target is how its dispatcher sees the target.
	target deliver.TargetStatus
	stop   func()
}

// startNode starts a replica called name. It leads if it is the first.
func startNode(t *testing.T, servers *memory.Servers, name string) *node {
	n := &node{t: t, line: servers.Connect(), target: deliver.TargetStatus{Name: "crm", State: deliver.Up}, forget: func() (record.Forgotten, error) { return record.Forgotten{Journeys: 7}, nil }}
	retention := config.Retention{Dead: config.Duration(time.Hour), Delivered: config.Duration(time.Hour), Size: 1 << 30}
	logger, registry := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	store := outbox.New(outbox.Options{Dir: t.TempDir(), Retention: retention, Metrics: registry, Logger: logger, Log: n.line, Incarnation: name + "-1"})
	spill := func() replica.SeerStatus { return replica.SeerStatus{Records: 3, Bytes: 300} }
	roster := replica.NewRoster(replica.RosterOptions{Link: n.line, Name: name, Incarnation: name + "-1", Extra: Hello("v1", store.Replica, spill), Logger: logger})
	n.Admin = New(Config{
		Logger: logger, Metrics: registry, Store: store, Activity: live.New(),
		Ready:    func(context.Context) error { return nil },
		Targets:  func() []deliver.TargetStatus { return []deliver.TargetStatus{n.target} },
		Reloaded: func() reload.Outcome { return reload.Outcome{} },
		Try:      func(context.Context, *config.Config, io.Reader, io.Writer) error { return nil },
		MayMove:  func(from, to string) error { return nil },
		Forget:   func(context.Context, string, string) (record.Forgotten, error) { return n.forget() },
		Console: func(api http.Handler, _ Access) http.Handler {
			n.api = api
			return api
		},
		Replicas: &Replicas{App: "decsys", Name: name, Link: n.line, Present: roster.Present, Seed: func(context.Context) error { return n.seeded }},
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := store.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() { store.Lead(ctx, func(ctx context.Context) { <-ctx.Done() }) })
	running.Go(func() { _ = roster.Run(ctx) })
	running.Go(func() { n.handed.serve(ctx) })
	n.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		n.handed.wait(context.Background())
	})
	return n
}

// request sends a request from loopback.
func (n *node) request(method, path, body string) *httptest.ResponseRecorder {
	n.t.Helper()
	r := httptest.NewRequestWithContext(n.t.Context(), method, path, strings.NewReader(body))
	r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost"
	w := httptest.NewRecorder()
	n.server.Handler.ServeHTTP(w, r)
	return w
}

func (n *node) expect(method, path, body string, status int, want string) {
	n.t.Helper()
	if w := n.request(method, path, body); strings.Contains(w.Body.String(), NotRecording) || w.Code != status || !strings.Contains(w.Body.String(), want) {
		n.t.Errorf("%s %s at %s: status %d, %s; want %d and %q", method, path, n.config.Replicas.Name, w.Code, w.Body, status, want)
	}
}

// await waits for a condition, a minute at most.
func (n *node) await(what string, condition func() bool) {
	n.t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatalf("replica %s never %s: %+v", n.config.Replicas.Name, what, n.config.Store.Replica())
		}
	}
}

// withReplicas calls test with one that leads and one that follows.
func withReplicas(t *testing.T, test func(leader, follower *node)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		leader := startNode(t, servers, "a")
		defer leader.stop()
		leader.await("leads", func() bool { return leader.config.Store.Leads() })
		follower := startNode(t, servers, "b")
		defer follower.stop()
		follower.await("follows", func() bool { return follower.config.Store.Replica().Role == outbox.RoleFollowing })
		test(leader, follower)
	})
}

func TestAReplicaThatFollowsHandsChangesToTheLeader(t *testing.T) {
	withReplicas(t, func(leader, follower *node) {
		err := leader.config.Store.Do(leader.t.Context(), func(tx *outbox.Tx) {
			tx.Enqueue(outbox.Delivery{ID: "msg_1", Target: "crm", Body: []byte("{}"), Created: time.Now()})
			tx.Dead(1, outbox.Attempt{At: time.Now(), Status: 500})
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // only what was dead before is selected
		follower.expect("POST", "/deliveries/redeliver?state=dead&rate=1/s", "", 200, `{"count":1,`)
		follower.expect("POST", "/deliveries/retry?target=crm", "", 200, `"count":`)
		follower.expect("POST", "/deliveries/discard?id=msg_1", "", 200, `{"count":1,`)
		follower.expect("POST", "/deliveries/discard?id=msg_1", "", 404, "no delivery has this id")
		follower.expect("POST", "/targets/crm/disable", "", 202, "")
		follower.expect("POST", "/targets/none/disable", "", 404, `"none" is not configured`)
		if target, err := leader.config.Store.Target("crm"); err != nil || target.Disabled.IsZero() {
			t.Errorf("the target is not disabled: %+v, %v", target, err)
		}
		follower.expect("POST", "/targets/crm/enable", "", 202, "")
		follower.expect("POST", "/forget", `{"participant": "p"}`, 200, `"journeys":7`)
		follower.expect("POST", "/forget", `{}`, 400, "must name a participant")
		follower.expect("POST", "/forget", strings.Repeat(" ", maxHandover+1), 400, "too long to be handed")
	})
}

func TestAnyReplicaShowsTheTargetsAsTheLeaderSeesThem(t *testing.T) {
	withReplicas(t, func(leader, follower *node) {
		leader.target = deliver.TargetStatus{Name: "crm", State: deliver.Failing, InFlight: 3, LastError: "status 500"}
		leader.config.Activity.Attempted(live.Entry{Target: "crm", Outcome: "failed"})
		for _, n := range []*node{leader, follower} {
			n.expect("GET", "/targets", "", 200, `"state":"failing"`)
			n.expect("GET", "/targets", "", 200, `"in_flight":3`)
			n.expect("GET", "/status", "", 200, `"hour_failed":1`)
		}
		leader.stop()
		follower.line.Cut()
		follower.expect("GET", "/targets", "", 200, `"state":"up"`)
		follower.line.Mend()
	})
}

func TestTheConsoleOfAReplicaThatFollowsHandsChangesOver(t *testing.T) {
	withReplicas(t, func(leader, follower *node) {
		w := httptest.NewRecorder()
		follower.api.ServeHTTP(w, httptest.NewRequestWithContext(follower.t.Context(), "POST", "/targets/crm/disable", nil))
		if target, err := leader.config.Store.Target("crm"); w.Code != http.StatusAccepted || err != nil || target.Disabled.IsZero() {
			t.Errorf("status %d, %s; the target is %+v, %v", w.Code, w.Body, target, err)
		}
	})
}

func TestAChangeThatTakesLongIsMadeOnce(t *testing.T) {
	withReplicas(t, func(leader, follower *node) {
		var calls atomic.Int32
		leader.forget = func() (record.Forgotten, error) {
			calls.Add(1)
			time.Sleep(ForgetTimeout - time.Minute)
			return record.Forgotten{Journeys: 9}, nil
		}
		follower.expect("POST", "/forget", `{"participant": "p"}`, 200, `"journeys":9`)
		if calls.Load() != 1 {
			t.Errorf("it was begun %d times", calls.Load())
		}
	})
}

func TestAResponseLongerThanAMessageSaysSo(t *testing.T) {
	withReplicas(t, func(leader, follower *node) {
		leader.forget = func() (record.Forgotten, error) {
			return record.Forgotten{}, errors.New(strings.Repeat("x", leader.line.MaxMessage()))
		}
		follower.expect("POST", "/forget", `{"participant": "p"}`, 503, "longer than a message between replicas")
	})
}

func TestAChangeWithoutALeaderIsToBeTriedAgain(t *testing.T) {
	withReplicas(t, func(_, follower *node) {
		follower.line.Cut()
		began := time.Now()
		w := follower.request("POST", "/targets/crm/disable", "")
		if w.Code != 503 || !strings.Contains(w.Body.String(), "no replica leads") || w.Header().Get("Retry-After") != "5" {
			t.Errorf("status %d, %v, %s", w.Code, w.Header(), w.Body)
		}
		if took := time.Since(began); took > leaderPatience+time.Second {
			t.Errorf("it took %s", took)
		}
		follower.line.Mend()
	})
}

func TestALeaderThatCannotWriteIsReadyAndRecordsAllTheSame(t *testing.T) {
	withReplicas(t, func(leader, follower *node) {
		follower.stop()
		leader.line.Cut()
		leader.await("notices", func() bool { isOpen, _ := leader.config.Store.State(); return !isOpen })
		leader.expect("GET", "/ready", "", 200, "ok\n")
		leader.expect("GET", "/metrics", "", 200, "\nsidehook_store_open 1\n")
		leader.line.Mend()
	})
}

func TestTheLossOfALeaderAtWorkIsReported(t *testing.T) {
	withReplicas(t, func(leader, follower *node) {
		leader.forget = func() (record.Forgotten, error) {
			time.Sleep(time.Second) // by now it is known who works on it
			leader.line.Cut()
			time.Sleep(time.Minute)
			return record.Forgotten{}, nil
		}
		follower.expect("POST", "/forget", `{"participant": "p"}`, 503, "it is not known what it has done")
		leader.line.Mend()
	})
}

func TestOnlyChangesAreHandedOver(t *testing.T) {
	withReplicas(t, func(leader, follower *node) {
		f := func(request handedRequest, status int) {
			t.Helper()
			question, err := json.Marshal(request)
			if err != nil {
				t.Fatal(err)
			}
			if response := follower.askLeader(follower.t.Context(), question); response == nil || response.Status != status {
				t.Errorf("%+v: %+v, want status %d", request, response, status)
			}
		}
		f(handedRequest{ID: "1", Method: "GET", Target: "/configuration"}, http.StatusNotFound)
		f(handedRequest{ID: "2", Method: "POST", Target: "/replicas/seed"}, http.StatusNotFound)
		f(handedRequest{ID: "3", Method: "POST", Target: "://"}, http.StatusBadRequest)
		f(handedRequest{ID: "4", Method: "POST", Target: "/targets/crm/enable"}, http.StatusAccepted)
		if leader.handed.answer([]byte("{")) != nil || leader.handed.answer([]byte("{}")) != nil {
			t.Error("a damaged request is answered")
		}
	})
}

func TestALeaderThatIsBusyWithRequestsOfOthersSaysSo(t *testing.T) {
	withReplicas(t, func(leader, follower *node) {
		release := make(chan struct{})
		leader.forget = func() (record.Forgotten, error) { <-release; return record.Forgotten{}, nil }
		var waiting sync.WaitGroup
		for range maxHanded {
			waiting.Go(func() { follower.expect("POST", "/forget", `{"participant": "p"}`, 200, "journeys") })
		}
		time.Sleep(time.Minute)
		follower.expect("POST", "/forget", `{"participant": "p"}`, 503, "the leader is busy")
		close(release)
		waiting.Wait()
		follower.expect("POST", "/forget", `{"participant": "p"}`, 200, "journeys")
	})
}
