package record

import (
	"context"
	"log/slog"
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
	// joinsWaiting is how many pasts may be queued; further journeys go on without one.
	joinsWaiting = 4000
	// readers is how many pasts are read at once, each with one request at a time. An
	// app that becomes slow so gets fewer requests. A rate would have to fit the
	// slowest app, and pasts wait for it that a faster one has long answered.
	readers = 4
)

// joins reads what participants did before they were observed.
type joins struct {
	app     AppReader
	profile *rules.Profile
	// urgent are the pasts that an event waits for, which are read before those in queue.
	queue, urgent chan join
	// complete, begun and partial count the journeys by what the app reported.
	complete, begun, partial prometheus.Counter

	log        *slog.Logger
	warnUnread rate.Sometimes
}

// join is a past to read, and when its journey goes on without it.
type join struct {
	rules.PastRequest
	until time.Time
}

func newJoins(o Options) *joins {
	joined := promauto.With(o.Metrics).NewCounterVec(prometheus.CounterOpts{
		Name: "sidehook_journeys_joined_total",
		Help: "Participants whose creation was not observed, by what the app reported about their past: complete, begun (nothing yet), partial (it could not be read).",
	}, []string{"result"})
	return &joins{
		app: o.App, profile: o.Profile, queue: make(chan join, joinsWaiting), urgent: make(chan join, joinsWaiting),
		complete: joined.WithLabelValues("complete"), begun: joined.WithLabelValues("begun"), partial: joined.WithLabelValues("partial"),
		log: o.Logger, warnUnread: rate.Sometimes{Interval: time.Minute},
	}
}

// enqueue queues a join; it returns false if too many wait.
func (j *joins) enqueue(one join) bool {
	queue := j.queue
	if one.IsUrgent {
		queue = j.urgent
	}
	select {
	case queue <- one:
		return true
	default:
		return false
	}
}

// run reads pasts and passes them to done until ctx ends. The journeys that wait
// then are joined after the next start.
func (j *joins) run(ctx context.Context, done func(rules.Key, *rules.Past)) {
	var running sync.WaitGroup
	defer running.Wait()
	for range readers {
		running.Go(func() {
			for {
				one, ok := j.next(ctx)
				if !ok {
					return
				}
				past := j.read(ctx, one)
				if ctx.Err() != nil {
					return
				}
				done(one.Journey, past)
			}
		})
	}
}

// next takes a join from the queues; ok is false once ctx has ended.
func (j *joins) next(ctx context.Context) (one join, ok bool) {
	select {
	case one = <-j.urgent:
		return one, true
	default:
	}
	select {
	case one = <-j.urgent:
	case one = <-j.queue:
	case <-ctx.Done():
		return join{}, false
	}
	return one, true
}

// read returns a past, nil if it cannot be read in time.
func (j *joins) read(ctx context.Context, one join) *rules.Past {
	ctx, cancel := context.WithDeadline(ctx, one.until)
	defer cancel()
	past, err := j.profile.ReadPast(one.PastRequest, func(path string) (int, string, []byte, error) {
		return j.app.Get(ctx, one.Host, path)
	})
	if err != nil {
		if isDue(&j.warnUnread) {
			j.log.Warn("cannot read what a participant did before; their events are partial", "survey", one.Journey.Instance, "error", err)
		}
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

// joinLater queues a join. If too many wait, the journey goes on without its past:
// at once if an event waits for it, or else unless one does in time.
func (r *Recorder) joinLater(one join) {
	if r.joins.enqueue(one) {
		return
	}
	if isDue(&r.warnCrowded) {
		r.log.Warn("too many journeys wait for their past; some go on without it", "survey", one.Journey.Instance, "limit", joinsWaiting)
	}
	if one.IsUrgent {
		r.submitJoin(one.Journey, nil)
	} else {
		r.expireLater(expiry{settlement{journey: one.Journey, due: one.until}, true})
	}
}

func (r *Recorder) submitJoin(key rules.Key, past *rules.Past) {
	r.submit(func(tx *outbox.Tx) { r.join(tx, key, past) })
}
