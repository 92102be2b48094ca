package record

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	// holdLimit is how long the end of a matched response waits for the disk.
	holdLimit = 250 * time.Millisecond
	// maxSettling bounds the events that wait for answers in flight; past it an
	// event goes as it is.
	maxSettling = 10_000
)

// RecorderOptions are what a Recorder needs; all but App, Metrics and Now are required.
type RecorderOptions struct {
	Store   *outbox.Store
	Profile *rules.Profile
	Config  *config.Config
	// App is asked for its release, and what participants did before they were
	// watched; nil where nobody asks.
	App AppReader
	// Metrics is where the recorder's metrics are registered; nil means nowhere.
	Metrics prometheus.Registerer
	Logger  *slog.Logger
	// Now is the proxy's clock; nil means time.Now.
	Now func() time.Time
}

// Recorder writes down what exchanges say: it folds each observation into its
// participant's journey and puts the events that come of it into the outbox,
// in one transaction.
type Recorder struct {
	store      *outbox.Store
	profile    *rules.Profile
	app        AppReader
	routing    atomic.Pointer[routing]
	settle     time.Duration
	durability config.Durability
	flights    *flights
	settling   chan settling
	joins      *joins // nil where no past can be read
	stall      stall
	counts     *counts
	complain   *complaints
	now        func() time.Time
}

// settling is an event's journey, and when the event goes whatever is still in flight.
type settling struct {
	journey rules.Key
	due     time.Time
}

// NewRecorder makes a Recorder that is ready for Begin; Run must be running for
// events to settle.
func NewRecorder(o RecorderOptions) *Recorder {
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Recorder{
		store:      o.Store,
		profile:    o.Profile,
		app:        o.App,
		settle:     time.Duration(o.Config.Settle),
		durability: o.Config.Durability,
		flights:    newFlights(),
		settling:   make(chan settling, maxSettling),
		counts:     newCounts(o.Metrics),
		complain:   newComplaints(o.Logger, o.Now),
		now:        o.Now,
	}
	if o.App != nil && o.Profile.HasHistory() {
		r.joins = newJoins(o, r.complain)
	}
	r.routing.Store(newRouting(o.Config))
	// Before any exchange of this process, whose tickets begin at 1 again.
	r.submit(r.settleLeftovers)
	return r
}

// Begin implements proxy.Watcher: it tells whether the profile has a route for
// the request, and how its exchange is to be recorded.
func (r *Recorder) Begin(method, target []byte) (end func(rules.Exchange)) {
	match, ok := r.profile.Match(method, target)
	if !ok {
		return nil
	}
	f := r.flights.begin(match)
	return func(x rules.Exchange) { r.end(f, x) }
}

// Run asks for the app's release, settles events and joins journeys until ctx
// ends; then it settles the rest at once.
func (r *Recorder) Run(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	if r.joins != nil {
		asking.Go(func() { r.joins.run(ctx, r.submitJoin) })
	}
	if r.app != nil && r.profile.VersionPath() != "" {
		asking.Go(func() { checkRelease(ctx, r.app, r.profile, r.complain.logger) })
	}
	for {
		select {
		case next := <-r.settling:
			r.sleepUntil(ctx, next.due)
			r.submitSettle(next.journey)
		case <-ctx.Done():
			r.settleRest()
			return
		}
	}
}

func (r *Recorder) sleepUntil(ctx context.Context, due time.Time) {
	timer := time.NewTimer(due.Sub(r.now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (r *Recorder) settleRest() {
	for {
		select {
		case next := <-r.settling:
			r.submitSettle(next.journey)
		default:
			return
		}
	}
}

// end records the exchange and returns when it is on disk, or after holdLimit.
func (r *Recorder) end(f *flight, x rules.Exchange) {
	at := r.now()
	o, ok, err := r.profile.Observe(f.match, x)
	if err != nil {
		r.counts.exchange(f.match.Says(), unreadable)
		r.complain.say("an exchange that matters could not be read", "says", f.match.Says(), "cause", err.Error())
	}
	if begins := r.profile.Begins(f.match, x); begins != "" && r.joins != nil {
		r.joins.fresh.add(begins)
	}
	r.noteStall(f.match, x.Status, ok)
	var onDisk <-chan struct{}
	var isLost bool
	r.flights.end(f, func() {
		switch {
		case f.forgotten:
		case ok:
			o.At, o.Ticket, o.Alone = at, f.ticket, f.alone
			onDisk, isLost = r.record(o)
		case f.waited:
			_, isLost = r.record(rules.Observation{Says: rules.Nothing, Journey: f.match.Journey(), Ticket: f.ticket, At: at})
		}
	})
	if isLost { // logged outside of the lock of flights, which every watched request needs
		r.logLost()
	}
	switch {
	case f.forgotten:
		r.counts.exchange(f.match.Says(), forgotten)
	case ok:
		r.hold(onDisk)
	case err == nil:
		r.counts.exchange(f.match.Says(), ignored)
	}
}

// record submits an observation to the store, within flights.end.
func (r *Recorder) record(o rules.Observation) (onDisk <-chan struct{}, isLost bool) {
	if o.Says == rules.Navigated {
		o.InFlight = r.flights.awaitAnswers(o.Journey)
	}
	if len(o.InFlight) > 0 && !r.trySettling(settling{o.Journey, o.At.Add(r.settle)}) {
		o.InFlight = nil
	}
	o.Begins = r.joins != nil && r.joins.fresh.take(o.Journey.Participant)
	onDisk, ok := r.store.Submit(sizeOf(&o), func(tx *outbox.Tx) { r.fold(tx, o) })
	if !ok {
		r.counts.exchange(o.Says, lost)
		return nil, true
	}
	r.counts.exchange(o.Says, recorded)
	return onDisk, false
}

// submit queues a change of the store that no participant waits for.
func (r *Recorder) submit(fn func(*outbox.Tx)) {
	if _, ok := r.store.Submit(0, fn); !ok {
		r.logLost()
	}
}

// logLost logs that the store refused a change.
func (r *Recorder) logLost() {
	_, reason := r.store.State()
	r.complain.say("observations are lost: the state file cannot be written and no more fit into memory",
		"lost", r.store.Stats().Lost, "reason", reason)
}

// trySettling lets an event wait for answers; false when too many do.
func (r *Recorder) trySettling(one settling) bool {
	select {
	case r.settling <- one:
		return true
	default:
		return false
	}
}

// settleAt settles a journey's events when they are due, or now if too many wait.
func (r *Recorder) settleAt(one settling) {
	if !r.trySettling(one) {
		r.submitSettle(one.journey)
	}
}

// hold waits until an observation is on disk: the participant must not see an
// answer that a crash could make us forget. It never waits for a store that is
// known not to work.
func (r *Recorder) hold(onDisk <-chan struct{}) {
	if onDisk == nil || r.durability == config.Relaxed {
		return
	}
	if open, _ := r.store.State(); !open {
		r.counts.atRisk.Inc()
		return
	}
	limit := time.NewTimer(holdLimit)
	defer limit.Stop()
	select {
	case <-onDisk:
	case <-limit.C:
		r.counts.atRisk.Inc()
		r.complain.say("a response went out before its observation was on disk; a crash now could lose its event", "waited", holdLimit)
	}
}

// sizeOf is about how much memory an observation holds on to while it waits.
func sizeOf(o *rules.Observation) int {
	size := 512 + len(o.Answer)
	if o.Page != nil && o.Page.Question != nil {
		size += len(*o.Page.Question)
	}
	return size
}
