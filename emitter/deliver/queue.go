package deliver

import (
	"context"
	"log/slog"
	"math"
	"reflect"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	// stopGrace is how long attempts in flight may go on after the stop.
	stopGrace = 5 * time.Second
	// ackGrace is how long the stop waits for the disk after that.
	ackGrace = 2 * time.Second
	// warnInterval is how often the same warning is logged.
	warnInterval = time.Minute
	// actPause is how long a delivery waits that may not be sent yet.
	actPause = 50 * time.Millisecond
)

// destination is where a queue leads.
type destination struct {
	target config.Target
	sender Sender
}

// queue sends the deliveries of one target. One goroutine owns its state, but for
// what is under mu. Attempts run in goroutines of their own and report to it;
// their results go to disk through acks.
type queue struct {
	name   string
	store  *outbox.Store
	log    *slog.Logger
	meters *meters
	// activity is where attempts are noted, nil for nowhere.
	activity *live.Activity
	// mayAct reports whether an attempt may begin.
	mayAct func() bool
	// random returns a number in [0,1) for the jitter.
	random func() float64

	to       destination
	backlog  *backlog
	health   *health
	pace     *pace
	restored bool // whether health has what an earlier process left

	predecessor <-chan struct{} // closed when the last queue of this name has ended; may be nil
	ended       chan struct{}   // closed when this one has
	changes     chan destination
	ready       <-chan struct{}
	results     chan attempted
	acks        *acks
	removed     context.Context
	remove      context.CancelFunc

	warnRead, warnOwnFailure, warnDead rate.Sometimes

	mu        sync.Mutex
	published TargetStatus
}

func newQueue(name string, to destination, o Options, m *meters) *queue {
	log := o.Logger.With("target", name)
	q := &queue{
		name: name, store: o.Store, log: log, meters: m, activity: o.Activity, mayAct: o.MayAct, random: random, to: to,
		backlog: newBacklog(name, o.Store), pace: newPace(to.target), acks: newAcks(name, o.Store),
		ended: make(chan struct{}), changes: make(chan destination, 1), results: make(chan attempted),
		warnRead:       rate.Sometimes{Interval: warnInterval},
		warnOwnFailure: rate.Sometimes{Interval: warnInterval},
		warnDead:       rate.Sometimes{Interval: warnInterval},
	}
	q.health = newHealth(name, to.target, log, q.acks.note)
	q.removed, q.remove = context.WithCancel(context.Background())
	return q
}

// run sends until ctx ends or the target is removed.
func (q *queue) run(ctx context.Context) {
	defer close(q.ended)
	if !q.awaitPredecessor(ctx) {
		return
	}
	sending, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	var acking sync.WaitGroup
	committing, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	acking.Go(func() { q.acks.run(committing) })
	q.ready = q.store.Ready(q.name) // before the first read, which would miss what comes in between
	q.loop(ctx, sending)
	q.drain(abort)
	q.acks.close()
	timeout := time.AfterFunc(ackGrace, giveUp)
	defer timeout.Stop()
	acking.Wait()
}

func (q *queue) awaitPredecessor(ctx context.Context) bool {
	if q.predecessor == nil {
		return true
	}
	select {
	case <-q.predecessor:
		return true
	case <-ctx.Done():
		<-q.predecessor
		return false
	}
}

// loop sends what can be sent and waits for something to happen, again and again.
func (q *queue) loop(ctx, sending context.Context) {
	for {
		wakeAt := q.sendAll(sending)
		q.publish()
		timer := time.NewTimer(untilOrNever(wakeAt))
		select {
		case <-ctx.Done():
		case <-q.removed.Done():
		case <-timer.C:
		case <-q.ready:
			q.onReady()
		case a := <-q.results:
			q.onResult(a)
		case c := <-q.acks.committed:
			q.onCommitted(c)
		case to := <-q.changes:
			q.onChange(to)
		}
		timer.Stop()
		if ctx.Err() != nil || q.isRemoved() {
			return
		}
	}
}

// drain waits for the attempts in flight, and aborts them after a while.
func (q *queue) drain(abort func()) {
	timeout := time.AfterFunc(stopGrace, abort)
	defer timeout.Stop()
	for q.pace.inFlight > 0 {
		select {
		case a := <-q.results:
			q.onResult(a)
		case <-q.acks.committed:
		}
	}
}

func (q *queue) isRemoved() bool { return q.removed.Err() != nil }

// change gives the queue another destination, unless it has been removed.
func (q *queue) change(to destination) (ok bool) {
	if q.isRemoved() {
		return false
	}
	select {
	case <-q.changes: // one that it has not seen yet
	default:
	}
	q.changes <- to
	return true
}

// onReady looks into the outbox again.
func (q *queue) onReady() {
	q.backlog.dropRetries()
	if q.restored {
		q.adoptStored()
	}
}

// onChange makes the next attempts go elsewhere.
func (q *queue) onChange(to destination) {
	isSame := reflect.DeepEqual(q.to.target, to.target)
	q.to = to
	if isSame {
		return
	}
	q.pace.configure(to.target)
	q.health.configure(to.target, time.Now())
}

// adoptStored takes over what an operator may have changed in the store.
func (q *queue) adoptStored() {
	if known, err := q.store.Target(q.name); err == nil {
		q.health.adopt(known, time.Now())
	}
}

func untilOrNever(t time.Time) time.Duration {
	if t.IsZero() {
		return math.MaxInt64
	}
	return time.Until(t)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
