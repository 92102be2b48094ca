package emitter

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

const (
	// stopGrace is how long attempts under way may go on after the end was asked for.
	stopGrace = 5 * time.Second
	// ackGrace is how long the end waits for the disk after that.
	ackGrace = 2 * time.Second
	// readLimit is how many deliveries are read from the outbox at a time.
	readLimit = 128
	// The pauses after an attempt that failed by our own fault, or a read that did.
	minPause, maxPause = time.Second, time.Minute
)

// destination is where a queue leads.
type destination struct {
	target rules.Target
	sender sender
}

// queue sends the deliveries of one target. One goroutine owns all of its state
// but what stands under mu; attempts run in goroutines of their own and report
// to it, and what came of them goes to disk through its acks.
type queue struct {
	name  string
	store *outbox.Store
	log   *slog.Logger
	// complain logs trouble that may come a thousand times.
	complain *complaints
	meters   *meters
	chance   func() float64
	// after, where it is given, must be closed before the queue starts.
	after <-chan struct{}
	// ended is closed when the queue's goroutine has ended.
	ended   chan struct{}
	changes chan destination
	ready   <-chan struct{}
	results chan attempted
	acks    *acks

	to      destination
	limiter *rate.Limiter
	breaker *breaker
	// buffer holds what was read from the outbox and not sent yet, in order.
	buffer []*outbox.Delivery
	// withdrawals is the store's count when buffer was read.
	withdrawals uint64
	// busy are the deliveries whose attempt is under way or not on disk.
	busy    map[uint64]struct{}
	sending int
	// probing tells that a probe is under way, resumed that resume is done.
	probing, resumed bool
	// unread tells that the outbox may have more than the buffer, nextDue when it
	// will have: zero means not before the outbox says so.
	unread  bool
	nextDue time.Time
	// missed are the deliveries that failed as probes since the target went down.
	missed   map[uint64]struct{}
	standing standing
	// heldUntil is what the target asked for.
	heldUntil time.Time
	// pausedUntil is when to go on after a failure of our own, pause how long it was.
	pausedUntil time.Time
	pause       time.Duration

	mu        sync.Mutex
	published TargetStatus
	isRemoved chan struct{}
	removal   sync.Once
}

// attempted is an attempt that ended.
type attempted struct {
	delivery *outbox.Delivery
	result   Result
	report   func(Outcome)
	isProbe  bool
}

func newQueue(name string, to destination, o DispatcherOptions, m *meters) *queue {
	log := o.Logger.With("target", name)
	return &queue{
		name: name, store: o.Store, log: log, complain: newComplaints(log, time.Now), meters: m, chance: anyChance,
		ended: make(chan struct{}), changes: make(chan destination, 1), results: make(chan attempted), acks: newAcks(name, o.Store),
		to: to, limiter: newLimiter(to.target), breaker: newBreaker(to.target.Breaker, false),
		busy: map[uint64]struct{}{}, missed: map[uint64]struct{}{}, unread: true,
		isRemoved: make(chan struct{}),
	}
}

// run sends until ctx ends or the target is removed.
func (q *queue) run(ctx context.Context) {
	defer close(q.ended)
	if !q.waitForPredecessor(ctx) {
		return
	}
	sending, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	var acking sync.WaitGroup
	committing, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	acking.Go(func() { q.acks.run(committing) })
	q.ready = q.store.Ready(q.name) // before the first read, so that it misses nothing
	q.loop(ctx, sending)
	q.finish(abort)
	q.acks.close()
	timeout := time.AfterFunc(ackGrace, giveUp)
	defer timeout.Stop()
	acking.Wait()
}

func (q *queue) waitForPredecessor(ctx context.Context) bool {
	if q.after == nil {
		return true
	}
	select {
	case <-q.after:
		return true
	case <-ctx.Done():
		<-q.after
		return false
	}
}

// loop is the life of a queue: send what can be sent, wait for something to happen.
func (q *queue) loop(ctx, sending context.Context) {
	for {
		wakeAt := q.sendAll(sending)
		q.publish()
		timer := time.NewTimer(untilOrNever(wakeAt))
		select {
		case <-ctx.Done():
		case <-q.isRemoved:
		case <-timer.C:
		case <-q.ready:
			q.onReady()
		case a := <-q.results:
			q.onResult(a)
		case committed := <-q.acks.committed:
			q.onCommitted(committed)
		case to := <-q.changes:
			q.onChange(to)
		}
		timer.Stop()
		if ctx.Err() != nil || q.removed() {
			return
		}
	}
}

// finish waits for the attempts that are under way, and cuts them short after a while.
func (q *queue) finish(abort func()) {
	timeout := time.AfterFunc(stopGrace, abort)
	defer timeout.Stop()
	for q.sending > 0 {
		select {
		case a := <-q.results:
			q.onResult(a)
		case <-q.acks.committed:
		}
	}
}

// remove ends the queue for good.
func (q *queue) remove() { q.removal.Do(func() { close(q.isRemoved) }) }

func (q *queue) removed() bool {
	select {
	case <-q.isRemoved:
		return true
	default:
		return false
	}
}

// change gives the queue another destination, unless it has been removed.
func (q *queue) change(to destination) (ok bool) {
	if q.removed() {
		return false
	}
	select {
	case <-q.changes: // one that it has not seen yet
	default:
	}
	q.changes <- to
	return true
}

func newLimiter(target rules.Target) *rate.Limiter {
	limit, burst := limitOf(target)
	return rate.NewLimiter(limit, burst)
}

// limitOf allows what comes in ten milliseconds at once, because timers are not finer.
func limitOf(target rules.Target) (rate.Limit, int) {
	if target.Rate <= 0 {
		return rate.Inf, 1
	}
	return rate.Limit(target.Rate), max(1, int(target.Rate/100))
}

func untilOrNever(t time.Time) time.Duration {
	if t.IsZero() {
		return math.MaxInt64
	}
	return time.Until(t)
}
