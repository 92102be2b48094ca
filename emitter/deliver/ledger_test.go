package deliver

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

// ledger is the policy once more, as plainly as possible: it follows what
// comes to a target and what the target answers, and says at the first attempt
// that should not have been made why. It knows nothing of queues and stores.
type ledger struct {
	policy config.Target

	mu         sync.Mutex
	deliveries map[string]*entry
	lanes      map[byte][]*entry
	// inFlight counts attempts in flight, outcomes those that ended.
	inFlight int
	outcomes map[send.Outcome]int64

	// isOpen is the breaker: era changes whenever it does. isLost is set while it is
	// open and the target could not be reached the last time.
	isOpen, isLost, probing bool
	era                     int
	// unreachable and failedFirst are what speaks against the target since it last worked.
	unreachable uint32
	failedFirst map[byte]bool
	openedAt    time.Time
	openFor     time.Duration
	probeAt     time.Time
	heldUntil   time.Time
	disabled    bool
	// tokens of the rate, as of refilled.
	tokens   float64
	refilled time.Time

	// retried is the last retry, retriedAsProbe that it was a probe.
	retried        string
	retriedAt      time.Time
	retriedAsProbe bool

	events    []string
	violation string
}

// entry is a delivery.
type entry struct {
	id    string
	state outbox.State
	// headSince is when nothing of its lane was before it any more.
	headSince            time.Time
	attempts, rejections int
	// due is when the next attempt may be made at the earliest, putOff that the target asked for it.
	due    time.Time
	putOff bool
	// jitteredDue is the due time that the delivery in flight came with.
	jitteredDue time.Time
	sends       int
	inFlight    bool
	isProbe     bool
	// isFirst is set for an attempt of a delivery that never failed, endedAt is when the last one ended.
	isFirst bool
	endedAt time.Time
	era     int
}

func newLedger(policy config.Target) *ledger {
	_, burst := limitOf(policy)
	return &ledger{policy: policy, deliveries: map[string]*entry{}, lanes: map[byte][]*entry{}, outcomes: map[send.Outcome]int64{}, tokens: float64(burst), refilled: syntheticStart}
}

func (l *ledger) note(format string, args ...any) {
	l.events = append(l.events, fmt.Sprintf("%14s  ", time.Since(syntheticStart))+fmt.Sprintf(format, args...))
}

// violate keeps the first thing that was wrong.
func (l *ledger) violate(format string, args ...any) {
	if l.violation == "" {
		l.note("VIOLATION: "+format, args...)
		l.violation = l.events[len(l.events)-1]
	}
}

func (l *ledger) history() string {
	return strings.Join(l.events[max(0, len(l.events)-40):], "\n")
}

func (l *ledger) pending() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range l.deliveries {
		if d.state == outbox.Waiting {
			n++
		}
	}
	return n
}

func (l *ledger) enqueue(ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note("enqueue %s", ids)
	for _, id := range ids {
		d := &entry{id: id, state: outbox.Waiting}
		lane := l.lanes[id[0]]
		if len(lane) == 0 || lane[len(lane)-1].state != outbox.Waiting {
			d.headSince = time.Now()
		}
		l.deliveries[id], l.lanes[id[0]] = d, append(lane, d)
	}
}

func (l *ledger) disable() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note("disabled by hand")
	l.disabled = true
}

func (l *ledger) enable() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note("enabled")
	if l.disabled {
		l.probeAt = time.Time{}
	}
	l.disabled = false
}

// restart forgets what is only in memory. A target whose oldest delivery has
// failed before begins with a probe.
func (l *ledger) restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note("restart")
	if l.inFlight > 0 {
		l.violate("%d attempts outlive the dispatcher", l.inFlight)
	}
	l.probing, l.unreachable, l.failedFirst, l.openFor, l.probeAt, l.openedAt = false, 0, nil, 0, time.Time{}, time.Time{}
	l.era++
	_, burst := limitOf(l.policy)
	l.tokens = float64(burst)
	oldest := l.oldestHead()
	l.isOpen = oldest != nil && oldest.attempts > 0
	l.isLost = l.isOpen
}

func (l *ledger) oldestHead() (oldest *entry) {
	for _, lane := range l.lanes {
		for _, d := range lane {
			if d.state == outbox.Waiting {
				if oldest == nil || number(d) < number(oldest) {
					oldest = d
				}
				break
			}
		}
	}
	return oldest
}

// number is a delivery's place among all.
func number(d *entry) (n int) {
	_, _ = fmt.Sscanf(d.id[1:], "%d", &n)
	return n
}

// begin judges that an attempt is made now, and counts it.
func (l *ledger) begin(id string, due, at time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.judgeFresh()
	d := l.deliveries[id]
	d.jitteredDue = due
	d.isProbe, d.isFirst, d.era = l.isOpen, d.attempts == 0, l.era
	l.note("send %s (probe %t)", id, d.isProbe)
	l.judgeOrder(d, at)
	l.judgeTarget(d, at)
	if d.isProbe {
		l.judgeProbe(d, at)
	}
	l.judgeAttempt(d, at)
	l.judgeRate(id, at)
	d.inFlight = true
	d.sends++
	l.inFlight++
	l.probing = l.probing || d.isProbe
	return d.sends
}

// end records the end of an attempt.
func (l *ledger) end(id string, r send.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.judgeFresh()
	d, now := l.deliveries[id], time.Now()
	l.note("%s: %s %d, retry after %s, disable %t", id, r.Outcome, r.Status, r.RetryAfter, r.WantsNoMore())
	d.inFlight, d.endedAt = false, now
	l.inFlight--
	l.outcomes[r.Outcome]++
	l.account(d, r, now)
	l.hold(d, r, now)
	l.turn(d, r, now)
	l.disabled = l.disabled || r.Outcome == send.Gone || r.Disable
	if d.isProbe && d.era == l.era || d.isProbe && l.probing {
		l.probing = false
	}
}

// account notes what the attempt makes of the delivery. A probe costs none without a
// connection, and not the last one before the delivery is due.
func (l *ledger) account(d *entry, r send.Result, now time.Time) {
	isLast := d.attempts >= len(l.policy.Retry.Schedule)
	isFree := d.isProbe && (r.NoConnection || isLast && d.jitteredDue.After(now) && r.Outcome != send.Rejected)
	switch {
	case r.Outcome == send.Delivered:
		l.finish(d, outbox.Delivered, now)
	case r.Outcome == send.Aborted:
		l.finish(d, outbox.Dead, now)
	case isFree, r.Outcome == send.Gone, r.Outcome == send.Ours:
	case isLast, r.Outcome == send.Rejected && d.rejections >= 2:
		l.finish(d, outbox.Dead, now)
	default:
		wait := time.Duration(float64(l.policy.Retry.Schedule[d.attempts]) * (1 - l.policy.Retry.Jitter))
		d.due, d.putOff = now.Add(max(wait, r.RetryAfter)), r.RetryAfter > 0
		d.attempts++
		if r.Outcome == send.Rejected {
			d.rejections++
		}
	}
}

func (l *ledger) finish(d *entry, state outbox.State, now time.Time) {
	d.state = state
	for _, next := range l.lanes[d.id[0]] {
		if next.state == outbox.Waiting {
			next.headSince = now
			return
		}
	}
}

func (l *ledger) hold(d *entry, r send.Result, now time.Time) {
	wholeTarget := r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable
	if r.Outcome != send.Delivered && wholeTarget && r.RetryAfter > 0 {
		l.heldUntil = maxTime(l.heldUntil, now.Add(r.RetryAfter))
	}
	if d.isProbe && r.Outcome == send.Throttled && !l.heldUntil.After(now) {
		l.heldUntil = now.Add(time.Duration(l.policy.Breaker.Open))
	}
}

// turn is what the breaker makes of it.
func (l *ledger) turn(d *entry, r send.Result, now time.Time) {
	switch {
	case d.era != l.era, r.Outcome == send.Throttled, r.Outcome == send.Ours:
	case r.Outcome != send.Retry:
		l.unreachable, l.failedFirst = 0, nil
		if d.isProbe {
			l.close(now)
		}
	case d.isProbe:
		l.suspect(d, r)
		l.probeFailed(d, r, now)
	default:
		l.suspect(d, r)
		counts := r.NoConnection || d.isFirst
		participants := uint32(len(l.failedFirst))
		isGeneral := l.unreachable > 0 || participants > 1
		if counts && isGeneral && l.unreachable+participants >= l.policy.Breaker.Failures {
			l.isOpen, l.isLost, l.openedAt = true, r.NoConnection, now
			l.era++
			l.open(now)
		}
	}
}

// suspect notes what speaks against the target.
func (l *ledger) suspect(d *entry, r send.Result) {
	switch {
	case r.NoConnection:
		l.unreachable++
	case d.isFirst:
		if l.failedFirst == nil {
			l.failedFirst = map[byte]bool{}
		}
		l.failedFirst[d.id[0]] = true
	}
}

func (l *ledger) probeFailed(d *entry, r send.Result, now time.Time) {
	isRegained := l.isLost && !r.NoConnection
	l.isLost = r.NoConnection
	switch {
	case isRegained:
		l.openFor = 0
		l.open(now)
		if !l.openedAt.IsZero() {
			l.hasten(now)
		}
	case r.NoConnection || !d.isFirst:
		l.open(now)
	}
}

// close ends the time of probes. Retries have missed nothing if it was short.
func (l *ledger) close(now time.Time) {
	l.isOpen, l.isLost, l.openFor = false, false, 0
	l.era++
	if now.Sub(l.openedAt) >= time.Duration(l.policy.Breaker.Open) {
		l.hasten(now)
	}
}

func (l *ledger) open(now time.Time) {
	first, last := time.Duration(l.policy.Breaker.Open), time.Duration(l.policy.Breaker.MaxOpen)
	l.openFor = min(max(first, 2*l.openFor), last)
	l.probeAt = now.Add(l.openFor)
	l.note("down until %s", l.probeAt.Sub(syntheticStart))
}

// hasten makes retries due that the target did not put off itself.
func (l *ledger) hasten(now time.Time) {
	l.note("retries are due")
	for _, d := range l.deliveries {
		if !d.putOff && d.due.After(now) {
			d.due = now
		}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
