package record

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules/trial"
)

// runTerm runs a recorder, whose store runs, until it has resumed what was left.
func (d *testRecorder) runTerm() {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.t.Context())
	ended := make(chan struct{})
	d.hasLeftovers.Store(true)
	go func() { d.Run(ctx); close(ended) }()
	for d.hasLeftovers.Load() {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-ended
}

func TestTheNextTermSettlesWhatWaitedAtTheEndOfTheLast(t *testing.T) {
	d := newIdleRecorder(t, t.TempDir(), decsysProfile(t))
	runStore(t, d.store)
	d.runTerm()
	d.get(showPage1)
	d.load("one")
	d.begin("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")
	d.next(showPage2)
	d.waitIdle()
	if n := len(d.deliveries()); n != 0 {
		t.Fatalf("%d deliveries while an answer is in flight, want none", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if !d.beginTerm(ctx) {
		t.Fatal("the term did not begin")
	}
	if n := len(d.settling); n != 0 {
		t.Errorf("%d settlements of the last term are queued, want none", n)
	}
	d.resumeLeftovers(ctx)
	if n := len(d.deliveries()); n != 1 {
		t.Errorf("%d deliveries, want the one that waited", n)
	}
}

func TestTheNextTermAsksAgainForThePastsThatTheLastDidNotRead(t *testing.T) {
	app := &pastApp{exchanges: trial.ByEnd(readRecording(t, "reads").Exchanges)}
	d := newJoiningRecorder(t, memoryDir(t), app)
	d.hasRun = true
	asked := func() (keys []string) {
		for len(d.joins.queue)+len(d.joins.urgent) > 0 {
			one, _ := d.joins.next(t.Context())
			keys = append(keys, one.Journey.Text())
		}
		return keys
	}
	for i := 0; len(d.joins.queue)+len(d.joins.urgent) == 0; i++ {
		if i == len(app.exchanges) {
			t.Fatal("no past was asked for")
		}
		if i == 0 || !isOfJourney(d.profile, app.exchanges[i]) {
			continue // the first one begins the journey
		}
		d.replay(i)
		d.waitIdle()
	}
	first := asked()
	waiting := d.waiting.total.Load()
	if !d.beginTerm(t.Context()) {
		t.Fatal("the term did not begin")
	}
	if n := d.waiting.total.Load(); n != 0 {
		t.Errorf("%d bytes wait before anything was resumed, want none", n)
	}
	d.resumeLeftovers(t.Context())
	d.waitIdle()
	if diff := cmp.Diff(first, asked()); diff != "" {
		t.Errorf("other pasts were asked for (-first +second term):\n%s", diff)
	}
	if n := d.waiting.total.Load(); n != waiting {
		t.Errorf("%d bytes wait, want %d as before", n, waiting)
	}
}
