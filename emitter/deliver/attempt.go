package deliver

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
)

// attempted is an attempt that ended.
type attempted struct {
	delivery *outbox.Delivery
	result   send.Result
	permit   permit
}

// start makes an attempt in a goroutine of its own, which reports to q.results.
func (q *queue) start(ctx context.Context, d *outbox.Delivery, p permit) {
	q.backlog.take(d)
	q.pace.inFlight++
	sender := q.to.sender
	go func() {
		q.results <- attempted{delivery: d, result: q.attempt(ctx, sender, d), permit: p}
	}()
}

// attempt sends, and survives a sender that panics: that counts as a failure of
// the delivery, so that it cannot be retried forever.
func (q *queue) attempt(ctx context.Context, sender Sender, d *outbox.Delivery) (result send.Result) {
	started := time.Now()
	defer func() {
		if p := recover(); p != nil {
			// The value may hold an answer or a secret, so only its type is logged.
			q.log.Error("recovered from a panic; please report this as a bug", "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			result = send.Result{Outcome: send.Retry, Reason: "sidehook panicked", Duration: time.Since(started)}
		}
	}()
	return sender.Send(ctx, d, started)
}

// onResult handles the end of an attempt. Its slot is free at once; the
// participant's next delivery has to wait until the result is on disk.
func (q *queue) onResult(a attempted) {
	now := time.Now()
	q.pace.inFlight--
	q.noteResult(a.result, now)
	decided := q.decide(a, now)
	q.meters.attempted(a, now)
	q.meters.decided(decided.verdict)
	q.activity.Attempted(live.Entry{
		Event: a.delivery.Event, Survey: a.delivery.Survey, Target: q.name, Delivery: a.delivery.ID, Attempt: a.delivery.Attempts + 1,
		Outcome: decided.verdict.String(), Status: a.result.Status, Seconds: a.result.Duration.Seconds(), Reason: a.result.Reason,
	})
	q.log.Debug("attempt ended", "delivery", a.delivery.ID, "attempt", a.delivery.Attempts+1, "outcome", decided.verdict.String(),
		"status", a.result.Status, "reason", a.result.Reason, "duration", a.result.Duration, "probe", a.permit.isProbe)
	change := q.health.report(a, decided, now)
	q.acks.add(ack{seq: a.delivery.Seq, decided: decided, attempt: outboxAttempt(a.result, now), isProbe: a.permit.isProbe})
	switch change {
	case wentDown:
		q.backlog.drop()
	case cameUp, regained:
		q.backlog.dropRetries()
		q.acks.hasten()
	case blinked, unchanged:
	}
	q.noteOwnFailure(a.result, now)
	if decided.verdict == dead {
		q.warnDead.Do(func() {
			q.log.Warn("delivery is dead after its last attempt", "delivery", a.delivery.ID, "reason", a.result.Reason)
		})
	}
}

func (q *queue) decide(a attempted, now time.Time) decision {
	if a.permit.isProbe {
		return decideProbe(q.to.target.Retry, a.delivery, a.result, now, q.random())
	}
	return decide(q.to.target.Retry, a.delivery, a.result, now, q.random())
}

// noteOwnFailure pauses after a failure of our own, which the next attempt is likely to meet too.
func (q *queue) noteOwnFailure(r send.Result, now time.Time) {
	if r.Outcome != send.Ours {
		q.pace.recovered()
		return
	}
	q.warnOwnFailure.Do(func() { q.log.Warn("cannot send, and the target is not to blame", "reason", r.Reason) })
	q.pace.backOff(now)
}

// onCommitted releases deliveries whose result is on disk.
func (q *queue) onCommitted(c committed) {
	q.backlog.release(c.seqs)
	if !q.health.breaker.isClosed() {
		q.backlog.dropRetries() // the probe that ended may be new still
	}
	q.health.stored(c.notes)
	if c.notes > 0 {
		q.adoptStored()
	}
}

func outboxAttempt(r send.Result, now time.Time) outbox.Attempt {
	return outbox.Attempt{At: now, Duration: r.Duration, Status: r.Status, Reason: r.Reason, Excerpt: r.Excerpt}
}
