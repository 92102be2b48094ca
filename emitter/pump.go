package emitter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"runtime/debug"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// resume takes up what an earlier process left: a target that was disabled or
// asked for a pause, and one that was down. Nothing is sent before.
func (q *queue) resume() error {
	known, err := q.store.Target(q.name)
	if err != nil {
		return err
	}
	oldest, err := q.store.Oldest(q.name, nil)
	if err != nil {
		return err
	}
	q.adopt(known, time.Now())
	q.standing.failingSince = known.FailingSince
	if known.DisabledMark != q.mark() && q.standing.disabled() && q.standing.cause != outbox.CauseOperator {
		q.enable()
	}
	q.heldUntil = earlier(known.HeldUntil, time.Now().Add(maxRetryAfter)) // the clock may have been ahead
	if oldest != nil && oldest.Attempts > 0 {
		q.breaker.open()
	}
	q.resumed = true
	return nil
}

// sendAll starts all attempts that may start now. It returns when to look again,
// zero when only something that happens can change that.
func (q *queue) sendAll(ctx context.Context) (wakeAt time.Time) {
	for {
		now := time.Now()
		if !q.resumed {
			if err := q.resume(); err != nil {
				return q.cannotRead(err, now)
			}
		}
		if q.getsNothing(now) {
			return q.standing.trialAt
		}
		if q.sending >= q.slots() || len(q.busy) >= q.maxBusy() {
			return time.Time{}
		}
		if blockedUntil := later(q.heldUntil, q.pausedUntil); blockedUntil.After(now) {
			return blockedUntil
		}
		d, wakeAt := q.pick(now)
		if d == nil {
			return wakeAt
		}
		if wait := q.reserve(now); wait > 0 {
			return now.Add(wait)
		}
		report, isProbe, err := q.breaker.allow()
		if err != nil {
			return now.Add(time.Millisecond)
		}
		q.start(ctx, d, report, isProbe)
	}
}

// slots is how many attempts may be under way. After a failure of our own one
// finds out whether it is over.
func (q *queue) slots() int {
	if q.pause > 0 {
		return 1
	}
	return q.to.target.Concurrency
}

// maxBusy bounds how much is sent again after a crash.
func (q *queue) maxBusy() int { return 4*q.to.target.Concurrency + 64 }

// pick returns what to send next, and when to look again if there is nothing.
func (q *queue) pick(now time.Time) (d *outbox.Delivery, wakeAt time.Time) {
	if n := q.store.Withdrawals(); n != q.withdrawals {
		q.withdrawals, q.buffer, q.unread = n, nil, true
	}
	if !q.breaker.isClosed() {
		return q.pickProbe(now)
	}
	if isPast(q.nextDue, now) {
		q.unread, q.nextDue = true, time.Time{}
	}
	if len(q.buffer) == 0 && q.unread {
		if err := q.read(now); err != nil {
			return nil, q.cannotRead(err, now)
		}
	}
	if len(q.buffer) == 0 {
		return nil, q.nextDue
	}
	return q.buffer[0], time.Time{}
}

// pickProbe returns the oldest waiting delivery when a probe may go. One that
// failed as a probe before lets the others go first: it may be the delivery that
// fails, and not the target.
func (q *queue) pickProbe(now time.Time) (d *outbox.Delivery, wakeAt time.Time) {
	if q.probing {
		return nil, time.Time{} // its end wakes us
	}
	if q.breaker.waitsUntil().After(now) {
		return nil, q.breaker.waitsUntil()
	}
	d, wakeAt, err := q.oldest(now, func(seq uint64) bool { return q.isBusy(seq) || q.hasMissed(seq) })
	if err == nil && d == nil && len(q.missed) > 0 {
		clear(q.missed)
		d, wakeAt, err = q.oldest(now, q.isBusy)
	}
	if err != nil {
		return nil, q.cannotRead(err, now)
	}
	return d, wakeAt
}

// oldest returns the oldest delivery that skip does not name and that the target
// itself did not put off, and when the first of those that it did is due.
func (q *queue) oldest(now time.Time, skip func(seq uint64) bool) (d *outbox.Delivery, wakeAt time.Time, err error) {
	putOff := map[uint64]struct{}{}
	for len(putOff) < readLimit {
		d, err = q.store.Oldest(q.name, func(seq uint64) bool {
			_, is := putOff[seq]
			return is || skip(seq)
		})
		if err != nil || d == nil || !isPutOff(d, now) {
			return d, wakeAt, err
		}
		putOff[d.Seq] = struct{}{}
		if wakeAt.IsZero() || d.Due.Before(wakeAt) {
			wakeAt = d.Due
		}
	}
	return nil, wakeAt, nil
}

// isPutOff tells whether the target asked for this delivery to wait; later than
// it can ask for is what a clock said that was ahead.
func isPutOff(d *outbox.Delivery, now time.Time) bool {
	return d.FromRetryAfter && d.Due.After(now) && !d.Due.After(now.Add(maxRetryAfter))
}

// read fills the buffer.
func (q *queue) read(now time.Time) error {
	due, next, err := q.store.Due(q.name, now, readLimit, q.isBusy)
	if next.After(now.Add(q.longestWait())) {
		q.acks.hasten() // the clock was set back since
	}
	if err == nil {
		q.buffer, q.nextDue, q.unread = due, next, len(due) > 0
	}
	return err
}

// longestWait is the longest that a retry can be put off.
func (q *queue) longestWait() time.Duration {
	longest := maxRetryAfter
	for _, wait := range q.to.target.Retry.Schedule {
		longest = max(longest, jittered(time.Duration(wait), q.to.target.Retry.Jitter, 1))
	}
	return longest
}

// cannotRead waits for the outbox to open, or a little where it can't be read.
func (q *queue) cannotRead(err error, now time.Time) (wakeAt time.Time) {
	if errors.Is(err, outbox.ErrClosed) {
		q.unread = false // it says so when it opens
		return time.Time{}
	}
	q.complain.say("cannot read deliveries", "error", err)
	q.pauseFrom(now)
	return q.pausedUntil
}

// reserve takes a token of the limiter, or returns how long to wait for one.
func (q *queue) reserve(now time.Time) (wait time.Duration) {
	reservation := q.limiter.ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// start makes an attempt in a goroutine of its own, which sends to q.results.
func (q *queue) start(ctx context.Context, d *outbox.Delivery, report func(Outcome), isProbe bool) {
	if len(q.buffer) > 0 && q.buffer[0] == d {
		q.buffer = q.buffer[1:]
	}
	q.busy[d.Seq] = struct{}{}
	q.sending++
	q.probing = isProbe
	to := q.to.sender
	go func() {
		q.results <- attempted{delivery: d, result: q.attempt(ctx, to, d), report: report, isProbe: isProbe}
	}()
}

// attempt sends, and survives a sender that panics: that counts as a failure of
// the delivery, so that it can't come back for ever.
func (q *queue) attempt(ctx context.Context, to sender, d *outbox.Delivery) (result Result) {
	started := time.Now()
	defer func() {
		if p := recover(); p != nil {
			// What it panics with may hold an answer or a secret, so only its type is told.
			q.log.Error("sending panicked: report this as a bug", "type", typeName(p), "stack", string(debug.Stack()))
			result = Result{Outcome: Retry, Reason: "sidehook panicked", Duration: time.Since(started)}
		}
	}()
	return to.Send(ctx, d, started)
}

func (q *queue) isBusy(seq uint64) bool { _, is := q.busy[seq]; return is }

func (q *queue) hasMissed(seq uint64) bool { _, has := q.missed[seq]; return has }

// mark is a fingerprint of the target's URL.
func (q *queue) mark() string {
	sum := sha256.Sum256([]byte(q.to.target.URL.Reveal()))
	return hex.EncodeToString(sum[:8])
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func isPast(t, now time.Time) bool { return !t.IsZero() && !t.After(now) }
