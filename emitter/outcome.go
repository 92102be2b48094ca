package emitter

import (
	"fmt"
	"reflect"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// onResult draws the consequences of an attempt. The slot is free at once; the
// delivery's lane goes on when the outbox has it on disk.
func (q *queue) onResult(a attempted) {
	now := time.Now()
	q.sending--
	wasClosed := q.breaker.isClosed()
	a.report(a.result.Outcome)
	q.noteResult(a.result, now)
	q.meters.attempted(a, now)
	decided := q.decide(a, now)
	q.meters.decided(decided.verdict)
	if decided.holdUntil.After(q.heldUntil) {
		q.hold(decided.holdUntil)
	}
	q.judge(a, now)
	q.acks.add(ack{seq: a.delivery.Seq, decided: decided, attempt: attemptOf(a.result, now), isProbe: a.isProbe})
	if a.isProbe {
		q.onProbe(a, now)
	} else if wasClosed && !q.breaker.isClosed() {
		q.log.Warn("the target is down: nothing is sent until a probe succeeds", "reason", a.result.Reason, "probe", q.breaker.waitsUntil())
		q.buffer, q.unread = nil, true
	}
	q.pauseIfOurs(a.result, now)
	if decided.verdict == isDead {
		q.complain.say("a delivery is dead: it had its last attempt", "id", a.delivery.ID, "reason", a.result.Reason)
	}
}

func (q *queue) decide(a attempted, now time.Time) decision {
	if a.isProbe {
		return decideProbe(a.result, now)
	}
	return decide(q.to.target.Retry, a.delivery, a.result, now, q.chance())
}

// onProbe goes on with all that waits when the target is up again.
func (q *queue) onProbe(a attempted, now time.Time) {
	q.probing = false
	if q.breaker.isClosed() {
		if !q.standing.disabled() {
			q.log.Info("the target is up again")
		}
		clear(q.missed)
		q.unread = true
		q.acks.hasten()
		return
	}
	if a.result.Outcome == Retry && len(q.missed) < readLimit {
		q.missed[a.delivery.Seq] = struct{}{}
	}
	if a.result.Outcome == Throttled && !q.heldUntil.After(now) {
		// It didn't say for how long: as long as if it were down.
		q.hold(now.Add(time.Duration(q.to.target.Breaker.Open)))
	}
}

// onCommitted lets go of deliveries whose attempt is on disk.
func (q *queue) onCommitted(c committed) {
	for _, seq := range c.seqs {
		delete(q.busy, seq)
	}
	q.unread = true
	if q.standing.unwritten -= c.notes; c.notes > 0 {
		q.adoptStored()
	}
}

// onReady looks into the outbox again. Deliveries that were never tried go
// before retries, so retries that were read already wait for those.
func (q *queue) onReady() {
	q.unread = true
	for i, d := range q.buffer {
		if d.Attempts > 0 {
			q.buffer = q.buffer[:i]
			break
		}
	}
	if q.resumed {
		q.adoptStored()
	}
}

// onChange makes the next attempts go elsewhere. A target that was changed in
// any way (its certificates, say) is tried at once; one that has a new URL need not
// be what the old one was, so it begins anew.
func (q *queue) onChange(to destination) {
	changed := !reflect.DeepEqual(q.to.target, to.target)
	moved := q.to.target.URL.Reveal() != to.target.URL.Reveal()
	q.to = to
	q.breaker.settings = to.target.Breaker
	limit, burst := limitOf(to.target)
	q.limiter.SetLimit(limit)
	q.limiter.SetBurst(burst)
	if changed {
		q.breaker.probeNow()
		q.pausedUntil = time.Time{}
		q.standing.tryNow(time.Now())
	}
	if moved {
		q.hold(time.Time{})
	}
	if moved && q.standing.cause != outbox.CauseOperator {
		q.enable()
	}
}

func (q *queue) hold(until time.Time) {
	q.heldUntil = until
	q.write(func(tx *outbox.Tx) { tx.Hold(q.name, until) })
}

// pauseIfOurs rests after a failure of our own, which the next attempt is likely to meet as well.
func (q *queue) pauseIfOurs(r Result, now time.Time) {
	if r.Outcome != Ours {
		q.pause = 0
		return
	}
	q.complain.say("cannot send, and the target is not to blame", "reason", r.Reason)
	q.pauseFrom(now)
}

// pauseFrom rests for twice as long as the last time. Attempts that were under
// way together fail together, and count once.
func (q *queue) pauseFrom(now time.Time) {
	if q.pausedUntil.After(now) {
		return
	}
	q.pause = min(max(2*q.pause, minPause), maxPause)
	q.pausedUntil = now.Add(q.pause)
}

func attemptOf(r Result, now time.Time) outbox.Attempt {
	return outbox.Attempt{At: now, Duration: r.Duration, Status: r.Status, Reason: r.Reason, Excerpt: r.Excerpt}
}

func typeName(v any) string { return fmt.Sprintf("%T", v) }
