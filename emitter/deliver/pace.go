package deliver

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/rules/config"
)

// The pauses after an attempt or a read that failed by our own fault.
const minPause, maxPause = time.Second, time.Minute

// pace decides how fast a queue sends: by the target's rate and concurrency, and
// with pauses while failures are our own (no file descriptors, no resolver).
type pace struct {
	limiter     *rate.Limiter
	concurrency int
	inFlight    int
	// pausedUntil is the end of the pause after a failure of our own, and pause
	// its length, 0 once an attempt did not fail so.
	pausedUntil time.Time
	pause       time.Duration
}

func newPace(target config.Target) *pace {
	limit, burst := limitOf(target)
	return &pace{limiter: rate.NewLimiter(limit, burst), concurrency: target.Concurrency}
}

// configure takes over a changed target, and ends a pause.
func (p *pace) configure(target config.Target) {
	limit, burst := limitOf(target)
	p.limiter.SetLimit(limit)
	p.limiter.SetBurst(burst)
	p.concurrency = target.Concurrency
	p.pausedUntil = time.Time{}
}

// isFull reports whether no more attempts may start. After a failure of our own,
// a single one finds out whether it is over.
func (p *pace) isFull() bool {
	if p.pause > 0 {
		return p.inFlight >= 1
	}
	return p.inFlight >= p.concurrency
}

// maxBusy bounds how many deliveries are sent again after a crash.
func (p *pace) maxBusy() int { return 4*p.concurrency + 64 }

// reserve takes a token of the rate limiter, or returns how long to wait for one.
func (p *pace) reserve(now time.Time) (wait time.Duration) {
	reservation := p.limiter.ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// backOff pauses for twice as long as the last time. Attempts that were in flight
// together fail together, and count once.
func (p *pace) backOff(now time.Time) {
	if p.pausedUntil.After(now) {
		return
	}
	p.pause = min(max(2*p.pause, minPause), maxPause)
	p.pausedUntil = now.Add(p.pause)
}

// recovered ends the backoff after an attempt that did not fail locally.
func (p *pace) recovered() { p.pause = 0 }

// limitOf allows a burst of what comes in ten milliseconds: timers are no finer.
func limitOf(target config.Target) (rate.Limit, int) {
	if target.Rate <= 0 {
		return rate.Inf, 1
	}
	return rate.Limit(target.Rate), max(1, int(target.Rate/100))
}
