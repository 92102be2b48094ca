package record

import (
	"cmp"
	"context"
	"crypto/rand"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// holdLimit is how long the end of a matched response waits for the disk.
const holdLimit = 250 * time.Millisecond

// Options are what a Recorder needs; all but App, Metrics and Now are required.
type Options struct {
	Store   *outbox.Store
	Profile *rules.Profile
	Config  *config.Config
	// App is asked for its release, and for what participants did before they were
	// observed; nil means that nobody asks.
	App AppReader
	// Activity is where events and participants are noted; nil means nowhere.
	Activity *live.Activity
	// Metrics is where the recorder's metrics are registered; nil means nowhere.
	Metrics prometheus.Registerer
	Logger  *slog.Logger
	// Digest returns what stands for a participant in log lines, the same for the same
	// one; nil means nothing.
	Digest func(participant string) string
	// Replicas are the others in front of the same app; nil means that there are none.
	// Then Answer must run all the time, and Run while this one leads.
	Replicas *Replicas
	// Now is the proxy's clock; nil means time.Now.
	Now func() time.Time
}

// AppReader sends requests of our own to the app.
type AppReader interface {
	// Get sends GET for a path with this Host header and returns the whole
	// response. It returns soon after ctx has ended.
	Get(ctx context.Context, host, path string) (status int, contentType string, body []byte, err error)
}

// Recorder writes down what exchanges say: it folds each observation into its
// participant's journey and puts the events that come of it into the outbox, in
// one transaction.
type Recorder struct {
	store      *outbox.Store
	profile    *rules.Profile
	app        AppReader
	routing    atomic.Pointer[routing]
	durability config.Durability
	reads      *reads
	flights    *flights
	newcomers  rules.Newcomers // only used within flights.end, or by folding
	settle     time.Duration
	settling   chan settlement
	joins      *joins // nil if no past can be read
	limits     rules.Limits
	waiting    *waiting
	pages      rules.PageCache // only used in the store's writer
	expiring   chan expiry
	replicas   *Replicas     // nil for a single one
	unfolded   *unfolded     // nil for a single one
	tasks      chan foldTask // nil for a single one
	// isSeenLost is set once the servers of the replicas are found to have lost what was seen.
	isSeenLost atomic.Bool
	// floor is up to which message of what was seen all is folded.
	floor atomic.Uint64
	// forgottenFor is how long it is known who was forgotten.
	forgottenFor time.Duration
	// hasRun is set once Run was called. run names this run of it, or what comes before
	// it, among all that have worked on the state file; it is only used in the store's
	// writer. hasLeftovers is true until what the others have left is resumed.
	hasRun       bool
	run          string
	hasLeftovers atomic.Bool
	failing      failingNavigations
	counts       *counts
	activity     *live.Activity
	seed         maphash.Seed // of the hashes of participants
	now          func() time.Time
	log          *slog.Logger
	digest       func(participant string) string

	warnUnreadable, warnLost, warnAtRisk, warnDamaged, warnRefused, warnCrowded rate.Sometimes
}

// New returns a Recorder that is ready for Begin. Run must be running for events
// to settle and for journeys to be joined.
func New(o Options) *Recorder {
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Recorder{
		store:        o.Store,
		profile:      o.Profile,
		app:          o.App,
		durability:   o.Config.Durability,
		reads:        newReads(),
		flights:      newFlights(),
		settle:       time.Duration(o.Config.Settle),
		forgottenFor: cmp.Or(time.Duration(o.Config.Retention.Journeys), forgottenFor),
		settling:     make(chan settlement, maxSettling),
		failing:      failingNavigations{log: o.Logger, warn: rate.Sometimes{Interval: time.Minute}},
		limits:       rules.LimitsOf(o.Config),
		waiting:      newWaiting(),
		expiring:     make(chan expiry, maxWaitingJourneys),
		run:          rand.Text(),
		activity:     o.Activity,
		seed:         maphash.MakeSeed(),
		now:          o.Now,
		log:          o.Logger,
		digest:       o.Digest,

		warnUnreadable: rate.Sometimes{Interval: time.Minute},
		warnLost:       rate.Sometimes{Interval: time.Minute},
		warnAtRisk:     rate.Sometimes{Interval: time.Minute},
		warnDamaged:    rate.Sometimes{Interval: time.Minute},
		warnRefused:    rate.Sometimes{Interval: time.Minute},
		warnCrowded:    rate.Sometimes{Interval: time.Minute},
	}
	if o.App != nil && o.Profile.HasHistory() {
		r.joins = newJoins(o)
	}
	if o.Replicas != nil {
		r.replicas, r.tasks, r.flights.memories = o.Replicas, make(chan foldTask, maxTasks), newMemories()
		r.unfolded = newUnfolded(o.Metrics)
	}
	r.counts = newCounts(o.Metrics, r.waiting)
	r.hasLeftovers.Store(true)
	r.routing.Store(newRouting(o.Config))
	return r
}

// Begin implements proxy.Watcher: it returns how to end the exchange of a request
// that a route of the profile matches, and nil for any other request.
func (r *Recorder) Begin(method, target []byte) (end func(rules.Exchange)) {
	match, ok := r.profile.Match(method, target)
	if !ok {
		return nil
	}
	f := r.flights.begin(match)
	return func(x rules.Exchange) { r.end(f, x) }
}

// CheckRelease asks the app for its release, and returns once that is known or ctx has
// ended. Every replica does that for itself.
func (r *Recorder) CheckRelease(ctx context.Context) {
	if r.app != nil && r.profile.VersionPath() != "" {
		checkRelease(ctx, r.app, r.profile, r.log)
	}
}

// Run resumes what an earlier process or term has left, settles events, joins journeys
// and notes silences until ctx ends. Then a single one settles all events that still wait.
// It may be called again after it has returned, and then begins as in a new process.
func (r *Recorder) Run(ctx context.Context) {
	if !r.beginTerm(ctx) {
		return
	}
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { r.resumeLeftovers(ctx) })
	running.Go(func() { r.runExpiring(ctx) })
	running.Go(func() { r.runSilences(ctx) })
	if r.replicas != nil {
		running.Go(func() { r.runFolding(ctx) })
	}
	if r.joins != nil {
		running.Go(func() { r.joins.run(ctx, r.submitJoin) })
	}
	r.runSettling(ctx)
}

// end records the exchange. It returns once that is on disk, or after holdLimit.
func (r *Recorder) end(f *flight, x rules.Exchange) {
	at := r.now()
	switch {
	case x.Ended.IsZero():
	case r.replicas == nil:
		at = x.Ended
	default: // by the clock that the replicas share
		at = at.Add(-time.Since(x.Ended))
	}
	endRead := r.reads.begin(x.ConvertedSize())
	o, observed, err := r.profile.Observe(f.match, x)
	endRead()
	if !observed {
		o = rules.Observation{Kind: rules.Nothing, Journey: f.match.Journey()}
	}
	o.At, o.Ticket = at, f.ticket
	newcomer := r.profile.Begins(f.match, x)
	if o.Kind == rules.Navigated {
		r.flights.awaitTurn(f, &o)
	}

	var onDisk []<-chan struct{}
	isForgotten, isLost := false, false
	r.flights.end(f, func() {
		isForgotten = f.state == flightForgotten
		says := !isForgotten && (observed || f.state == flightAwaited)
		o.Alone = f.state == flightAlone
		onDisk, isLost = r.handOver(f, &o, says, newcomer)
	})
	// Logs are written without the lock, which every matched request needs.
	r.failing.note(f.match, x.Status, observed)
	if err != nil {
		if isDue(&r.warnUnreadable) {
			r.log.Warn("cannot read an exchange that a route matches", "says", f.match.Kind(), "survey", f.match.Journey().Instance, "error", err)
		}
	}
	if isLost {
		r.logLost()
	}
	became := resultOf(isForgotten, isLost, observed, err)
	r.counts.exchange(f.match.Kind(), became)
	r.logExchange(f, &o, x.Status, became)
	if observed {
		r.activity.Seen(maphash.String(r.seed, o.Journey.Participant))
		r.hold(onDisk)
	}
}

// resultOf names what became of an exchange.
func resultOf(isForgotten, isLost, observed bool, err error) result {
	switch {
	case isForgotten:
		return forgotten
	case err != nil:
		return unreadable
	case !observed:
		return ignored
	case isLost:
		return lost
	}
	return recorded
}

// handOver hands an observation to the store, if the exchange says one, or to the
// leader, and a participant that the app has just created. It is called within
// flights.end, so that observations are stored in the order in which exchanges end.
func (r *Recorder) handOver(f *flight, o *rules.Observation, says bool, newcomer string) (onDisk []<-chan struct{}, isLost bool) {
	if r.replicas != nil {
		if !says {
			o = nil
		}
		return r.see(f, o, newcomer)
	}
	if newcomer != "" {
		r.newcomers.Add(newcomer)
	}
	if !says {
		return nil, false
	}
	o.Began = f.began
	done, isLost := r.submitObservation(*o)
	return []<-chan struct{}{done}, isLost
}

// submitObservation hands an observation to the store.
func (r *Recorder) submitObservation(o rules.Observation) (onDisk <-chan struct{}, isLost bool) {
	if o.Kind.Moves() {
		o.InFlight, o.InFlightItems = r.flights.awaitAnswers(o.Journey)
	}
	o.Begins = r.newcomers.Take(o.Journey.Participant)
	onDisk, ok := r.store.Submit(o.Size(), func(tx *outbox.Tx) { r.observe(tx, o) })
	return onDisk, !ok
}

// submit hands a change to the store that no participant waits for.
func (r *Recorder) submit(change func(*outbox.Tx)) {
	if _, ok := r.store.Submit(0, change); !ok {
		r.logLost()
	}
}

// logLost logs that the store took no more.
func (r *Recorder) logLost() {
	if r.replicas != nil { // the Seer has logged it, or another replica leads by now
		return
	}
	if isDue(&r.warnLost) {
		_, reason := r.store.State()
		r.log.Error("observations are lost: the state file cannot be written, and no more fit into memory",
			"lost", r.store.Stats().Lost, "reason", reason)
	}
}

// hold waits until an observation is on disk: a participant must not see a
// response that a crash could make us forget. It does not wait for a store that
// is known not to work; what goes to the leader does not depend on the store.
func (r *Recorder) hold(onDisk []<-chan struct{}) {
	if len(onDisk) == 0 || onDisk[0] == nil || r.durability == config.Relaxed {
		return
	}
	if open, _ := r.store.State(); !open && r.replicas == nil {
		r.counts.atRisk.Inc()
		return
	}
	limit := time.NewTimer(holdLimit)
	defer limit.Stop()
	for _, done := range onDisk {
		select {
		case <-done:
		case <-limit.C:
			r.counts.atRisk.Inc()
			if isDue(&r.warnAtRisk) {
				r.log.Warn("released a response before its observation was on disk; a crash now could lose its event", "waited", holdLimit)
			}
			return
		}
	}
}

// isDue reports whether a line that s limits may be logged now. Logging it within
// s.Do would hold up every other request with the same trouble, if stderr is a pipe
// that nobody reads.
func isDue(s *rate.Sometimes) (due bool) {
	s.Do(func() { due = true })
	return due
}
