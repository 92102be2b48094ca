package record

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// The bounds of reading pasts: the app is busy with participants.
const (
	// joinsWaiting is how many journeys may wait for their past; more begin without one.
	joinsWaiting = 1000
	// readers is how many pasts are read at once, readRate how many GETs a second they may make.
	readers  = 4
	readRate = 100
	// joinLimit is how long a journey waits for its past, and with it the
	// participant's events. A read that is not answered by then has failed.
	joinLimit = 30 * time.Second
	// freshLimit is how many participants that the app has just made up are remembered.
	freshLimit = 10_000
)

// AppReader asks the app by GET.
type AppReader interface {
	// Get gives the status, the content type and the whole body that the app
	// answers for a path, asked with this Host. It ends soon after ctx has ended.
	Get(ctx context.Context, host, path string) (status int, contentType string, body []byte, err error)
}

// joins reads what participants did before they were watched.
type joins struct {
	app     AppReader
	profile *rules.Profile
	limiter *rate.Limiter
	asked   chan join
	fresh   *fresh
	// complete, begun and partial count the journeys by what could be told of their past.
	complete, begun, partial prometheus.Counter
	complain                 *complaints
}

// join is a journey that waits for its past.
type join struct {
	journey      rules.Key
	survey, host string
	// leftover tells that the exchanges in flight then were those of an earlier process.
	leftover bool
	// until is when it goes on without.
	until time.Time
}

func newJoins(o RecorderOptions, complain *complaints) *joins {
	joined := promauto.With(o.Metrics).NewCounterVec(prometheus.CounterOpts{
		Name: "sidehook_journeys_joined_total",
		Help: "Participants whose creation was not observed, by what the app reported about their past: complete, begun (nothing yet), partial (it could not be read).",
	}, []string{"result"})
	return &joins{
		app: o.App, profile: o.Profile, limiter: rate.NewLimiter(readRate, readers), asked: make(chan join, joinsWaiting),
		fresh: newFresh(), complete: joined.WithLabelValues("complete"), begun: joined.WithLabelValues("begun"),
		partial: joined.WithLabelValues("partial"), complain: complain,
	}
}

// ask queues a join; false when too many wait.
func (j *joins) ask(one join) bool {
	select {
	case j.asked <- one:
		return true
	default:
		return false
	}
}

// run reads pasts and hands them to done until ctx ends. Those that wait then are
// left: their journeys are joined after the next start.
func (j *joins) run(ctx context.Context, done func(join, *rules.Past)) {
	var running sync.WaitGroup
	defer running.Wait()
	for range readers {
		running.Go(func() {
			for {
				select {
				case one := <-j.asked:
					past := j.readPast(ctx, one)
					if ctx.Err() != nil {
						return
					}
					done(one, past)
				case <-ctx.Done():
					return
				}
			}
		})
	}
}

// readPast gives what was before; nil when that can't be told in time.
func (j *joins) readPast(ctx context.Context, one join) *rules.Past {
	ctx, cancel := context.WithDeadline(ctx, one.until)
	defer cancel()
	past, err := j.profile.ReadPast(func(path string) ([]byte, error) { return j.get(ctx, one.host, path) }, one.survey, one.journey)
	if err != nil {
		j.complain.say("what a participant did before could not be read; their events will be partial", "cause", err.Error())
		return nil
	}
	return past
}

func (j *joins) count(past *rules.Past) {
	switch {
	case past == nil:
		j.partial.Inc()
	case len(past.Events) == 0:
		j.begun.Inc()
	default:
		j.complete.Inc()
	}
}

// get asks the app for a path. What it does not have it may answer with a page.
func (j *joins) get(ctx context.Context, host, path string) (json []byte, err error) {
	if err := j.limiter.Wait(ctx); err != nil {
		return nil, err
	}
	status, contentType, body, err := j.app.Get(ctx, host, path)
	switch {
	case err != nil:
		return nil, err
	case status == 404, status == 200 && !strings.HasPrefix(contentType, "application/json"):
		return nil, nil
	case status != 200:
		return nil, fmt.Errorf("the app answers %d", status)
	}
	return body, nil
}

// fresh remembers the participants that the app has just made up, until they are
// first seen.
type fresh struct {
	mu    sync.Mutex
	known map[string]struct{}
	// ring are the names in the order of their coming; a new one takes the place of the oldest.
	ring []string
	next int
}

func newFresh() *fresh {
	return &fresh{known: map[string]struct{}{}, ring: make([]string, freshLimit)}
}

func (f *fresh) add(participant string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.known, f.ring[f.next])
	f.ring[f.next] = participant
	f.next = (f.next + 1) % len(f.ring)
	f.known[participant] = struct{}{}
}

// take tells whether the participant was made up a moment ago, once.
func (f *fresh) take(participant string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, known := f.known[participant]
	delete(f.known, participant)
	return known
}

// wait keeps an observation until what was before it is known, and asks for that
// as soon as the survey's id is known too; again when no answer has come for long.
func (r *Recorder) wait(tx *outbox.Tx, journey *rules.Journey, o *rules.Observation) []*rules.Event {
	if !journey.Wait(o) {
		return journey.Join(nil)
	}
	if journey.Survey != "" && o.At.Sub(journey.Asked) > 2*joinLimit {
		journey.Asked = o.At
		r.askJoin(tx, o.Journey, journey, false)
	}
	return nil
}

// askJoin queues the join of a journey once tx is on disk.
func (r *Recorder) askJoin(tx *outbox.Tx, key rules.Key, journey *rules.Journey, leftover bool) {
	one := join{
		journey: key, survey: journey.Survey, host: journey.Waiting[0].Host,
		leftover: leftover, until: r.now().Add(joinLimit),
	}
	tx.After(func() {
		if !r.joins.ask(one) {
			r.complain.say("a journey goes on without what was before: too many wait for that", "at_most", joinsWaiting)
			r.submitJoin(one, nil)
		}
	})
}

func (r *Recorder) submitJoin(one join, past *rules.Past) {
	r.submit(func(tx *outbox.Tx) { r.joinStored(tx, one, past) })
}

// joinStored puts a past under a journey that waits for it.
func (r *Recorder) joinStored(tx *outbox.Tx, one join, past *rules.Past) {
	journey := r.load(tx, one.journey)
	if len(journey.Waiting) == 0 {
		return
	}
	at := journey.Waiting[len(journey.Waiting)-1].At
	events := journey.Join(past)
	switch {
	case one.leftover:
		events = append(events, journey.Settle()...)
	case len(journey.Unsettled) > 0:
		due := settling{one.journey, r.now().Add(r.settle)}
		tx.After(func() { r.settleAt(due) })
	}
	tx.After(func() { r.joins.count(past) })
	r.save(tx, one.journey, journey, at)
	r.deliver(tx, one.journey, events)
}
