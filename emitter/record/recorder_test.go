package record

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	showPage1 = `{"surveyId":5,"instanceId":3,"participantId":"p","newParticipantId":null,"page":{"id":"one","name":"","order":1,"components":[{"type":"Free Text","id":"i1"}]},"pageCount":2}`
	showPage2 = `{"surveyId":5,"instanceId":3,"participantId":"p","newParticipantId":null,"page":{"id":"two","name":"","order":2,"components":[]},"pageCount":2}`
	showEnd   = `{"surveyId":5,"instanceId":3,"participantId":"p","newParticipantId":null,"page":null,"pageCount":2}`
)

// testRecorder is a recorder with a state directory of its own.
type testRecorder struct {
	*Recorder
	t     testing.TB
	store *outbox.Store
	stop  func()
	// replicas are several that lead to the recorder, which leads; nil for a single one.
	replicas *testReplicas
}

func newTestRecorder(t testing.TB, dir string) *testRecorder {
	t.Helper()
	return newTestRecorderOf(t, dir, decsysProfile(t))
}

func newTestRecorderOf(t testing.TB, dir string, profile *rules.Profile) *testRecorder {
	t.Helper()
	d := newIdleRecorder(t, dir, profile)
	d.start()
	return d
}

// newIdleRecorder returns a testRecorder of which nothing runs.
func newIdleRecorder(t testing.TB, dir string, profile *rules.Profile) *testRecorder {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	store := outbox.New(outbox.Options{Dir: dir, Logger: logger})
	options := Options{
		Store:   store,
		Profile: profile,
		Config: &config.Config{
			Durability: config.Strict,
			Settle:     config.Duration(time.Hour), // longer than any test
			Targets:    map[string]config.Target{"crm": {Format: config.FormatDecsys}, "lake": {Format: config.FormatStandard}},
			Rules:      []config.Rule{{To: []string{"crm"}}, {On: []config.EventName{config.Completion}, To: []string{"lake"}}},
		},
		Logger: logger,
	}
	d := &testRecorder{t: t, store: store}
	d.build(dir, options)
	return d
}

// build makes the recorder or, for a test of several replicas, as many.
func (d *testRecorder) build(dir string, options Options) {
	if isReplicated(d.t) {
		d.replicas = newTestReplicas(d.t, dir, options)
		d.Recorder = d.replicas.members[0].Recorder
	} else {
		d.Recorder = New(options)
	}
}

// any returns the recorder, or one of several by chance.
func (d *testRecorder) any() *Recorder {
	if d.replicas == nil {
		return d.Recorder
	}
	return d.replicas.any()
}

// start runs the store and the recorder; stop ends them in the order of main.
func (d *testRecorder) start() {
	var running sync.WaitGroup
	storeCtx, stopStore := context.WithCancel(context.Background())
	recorderCtx, stopRecorder := context.WithCancel(context.Background())
	recorderDone := make(chan struct{})
	running.Go(func() {
		if err := d.store.Run(storeCtx); err != nil {
			d.t.Errorf("the store ended: %v", err)
		}
	})
	running.Go(func() { d.Run(recorderCtx); close(recorderDone) })
	if d.replicas != nil {
		d.replicas.start()
	}
	d.flush() // the state file is open from here on
	for d.hasLeftovers.Load() {
		time.Sleep(time.Millisecond)
	}
	d.stop = sync.OnceFunc(func() {
		if d.replicas != nil {
			d.replicas.stop()
		}
		stopRecorder()
		<-recorderDone
		stopStore()
		running.Wait()
	})
	d.t.Cleanup(d.stop)
}

func (d *testRecorder) begin(method, target string) func(rules.Exchange) {
	d.t.Helper()
	if d.replicas != nil {
		time.Sleep(apart)
	}
	end := d.any().Begin([]byte(method), []byte(target))
	if end == nil {
		d.t.Fatalf("%s %s matches no route", method, target)
	}
	return end
}

func (d *testRecorder) get(body string)  { d.begin("GET", "/api/progress/5/3/p")(page(body)) }
func (d *testRecorder) next(body string) { d.begin("POST", "/api/progress/5/3/p/next")(page(body)) }
func (d *testRecorder) load(id string) {
	d.begin("POST", "/api/log/3/p/"+id+"/decsys.platform.PAGE_LOAD")(rules.Exchange{Status: 204, RequestBody: []byte("{}")})
}

func page(body string) rules.Exchange {
	return rules.Exchange{Status: 200, ContentType: "application/json; charset=utf-8", ResponseBody: []byte(body)}
}

func (d *testRecorder) flush() {
	d.t.Helper()
	if d.replicas != nil {
		d.replicas.flush()
	}
	if err := d.store.Do(d.t.Context(), func(*outbox.Tx) {}); err != nil {
		d.t.Fatal(err)
	}
}

// deliveries waits until all that was submitted is on disk and lists what is in
// the outbox, oldest first.
func (d *testRecorder) deliveries() []*outbox.Delivery {
	d.t.Helper()
	d.flush()
	var all []*outbox.Delivery
	for _, target := range []string{"crm", "lake"} {
		due, _, err := d.store.Due(target, time.Now(), 100, func(uint64) bool { return false })
		if err != nil {
			d.t.Fatal(err)
		}
		all = append(all, due...)
	}
	return all
}

func TestANavigationMakesOneDeliveryForEachTargetOfItsRules(t *testing.T) {
	d := newTestRecorder(t, t.TempDir())
	d.get(showPage1)
	d.load("one")
	d.next(showEnd)
	got := d.deliveries()
	if len(got) != 2 {
		t.Fatalf("got %d deliveries, want 2", len(got))
	}
	if !strings.Contains(string(got[0].Body), `"EventType":{"SourcePage":1,"TargetPage":0,"ResolvedPage":2`) {
		t.Errorf("the first is not in Decsys' format: %s", got[0].Body)
	}
	if !strings.HasPrefix(string(got[1].Body), `{"type":"survey.completed","timestamp":"`) {
		t.Errorf("the second is not in the standard format: %s", got[1].Body)
	}
	if got[0].ID == got[1].ID {
		t.Error("two targets get the same webhook-id")
	}
	if diff := cmp.Diff([]string{"fzd", "completion", "rules[0]"}, []string{got[0].Survey, got[0].Event, got[0].Rule}); diff != "" {
		t.Errorf("delivery (-want +got):\n%s", diff)
	}
}

func TestAnEventIsOnDiskWhenTheExchangeHasEnded(t *testing.T) {
	d := newTestRecorder(t, t.TempDir())
	d.get(showPage1)
	d.next(showPage2)
	due, _, err := d.store.Due("crm", time.Now(), 100, func(uint64) bool { return false })
	if err != nil || len(due) != 1 {
		t.Errorf("%d deliveries are on disk (%v), want 1", len(due), err)
	}
}

func TestAJourneyContinuesAfterARestart(t *testing.T) {
	dir := t.TempDir()
	d := newTestRecorder(t, dir)
	d.get(showPage1)
	d.stop()
	d = newTestRecorder(t, dir)
	d.next(showPage2)
	if n := len(d.deliveries()); n != 1 {
		t.Errorf("got %d deliveries, want 1", n)
	}
}

func TestStoppingSettlesWaitingEvents(t *testing.T) {
	f := func(durability config.Durability) {
		t.Helper()
		dir := t.TempDir()
		d := newTestRecorder(t, dir)
		d.durability = durability
		d.get(showPage1)
		d.begin("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")
		d.next(showPage2)
		d.stop()
		// Before a recorder resumes what was left.
		if n := len(openedStore(t, dir).deliveries()); n != 1 {
			t.Errorf("%s: got %d deliveries, want 1", durability, n)
		}
	}
	f(config.Strict)
	f(config.Relaxed) // stopped before the navigation is on disk
}

// openedStore is the store of a recorder that has stopped.
func openedStore(t *testing.T, dir string) *testRecorder {
	t.Helper()
	d := &testRecorder{t: t, store: outbox.New(outbox.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})}
	runStore(t, d.store)
	return d
}

// runStore runs a store until the test ends.
func runStore(t *testing.T, store *outbox.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = store.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
}

func TestTheEndOfAStudyIsRecoveredThoughTheAppRespondsForTheStudy(t *testing.T) {
	d := newTestRecorder(t, t.TempDir())
	get := func(body string) { d.begin("GET", "/api/progress/7/7/p")(page(body)) }
	get(showPage1)
	get(`{"surveyId":7,"instanceId":7,"participantId":"p","newParticipantId":"q","page":null,"pageCount":2}`)
	got := d.deliveries()
	if len(got) != 2 || got[0].Survey != "fzd" {
		t.Fatalf("got %d deliveries, want the completion for both targets under the survey's own name", len(got))
	}
	if !strings.Contains(string(got[1].Body), `"recovered":true`) {
		t.Errorf("it is not marked: %s", got[1].Body)
	}
}

func TestAnUnreadableExchangeMakesNoEvent(t *testing.T) {
	d := newTestRecorder(t, t.TempDir())
	d.get(showPage1)
	f := func(x rules.Exchange) {
		t.Helper()
		d.begin("POST", "/api/progress/5/3/p/next")(x)
		if n := len(d.deliveries()); n != 0 {
			t.Errorf("%+v made %d deliveries", x, n)
		}
	}
	f(rules.Exchange{Status: 0})
	f(rules.Exchange{Status: 500})
	f(rules.Exchange{Status: 200, ContentType: "text/html", ResponseBody: []byte("<!DOCTYPE html>")})
	f(page(showPage2[:100]))
	f(page(strings.Repeat("[", 100_000)))
	f(rules.Exchange{Status: 200, ContentType: "application/json", LacksRequest: "too large", LacksResponse: "too large"})
	f(page(`{"page":{"name":"no id"}}`))
}
