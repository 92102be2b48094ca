package deliver

import (
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/emitter/send"
)

// The states of a target.
const (
	// TargetUp takes deliveries.
	TargetUp = "up"
	// TargetDown failed too often: nothing is sent until the next probe.
	TargetDown = "down"
	// TargetHeld asked for a pause.
	TargetHeld = "held"
	// TargetDisabled gets nothing: see Cause.
	TargetDisabled = "disabled"
)

// TargetStatus is how a target is doing.
type TargetStatus struct {
	Name  string
	State string
	// Until is when it is tried again, zero when that is not known or it is up.
	Until time.Time
	// Cause is why it is disabled, empty while it is not; Disabled is since when.
	Cause    outbox.Cause
	Disabled time.Time
	// FailingSince is when the first of its failures was that no success came
	// after, zero without one.
	FailingSince time.Time
	// InFlight is the number of attempts under way.
	InFlight int
	// Pending, Dead and Delivered count the deliveries that are kept.
	Pending, Dead, Delivered uint64
	// Oldest is when the oldest pending delivery was made, zero without one.
	Oldest time.Time
	// LastError says why the last attempt that failed did, and LastErrorAt when;
	// LastSuccess is when the last one that did not ended. All are since the start.
	LastError                string
	LastErrorAt, LastSuccess time.Time
}

// status reads what the queue tells of itself, and the counts of the store.
func (q *queue) status() TargetStatus {
	q.mu.Lock()
	status := q.published
	q.mu.Unlock()
	status.Name = q.name
	if kept, err := q.store.Target(q.name); err == nil {
		status.Pending, status.Dead, status.Delivered = kept.Pending, kept.Dead, kept.Delivered
		status.Disabled = kept.Disabled
	}
	if oldest, err := q.store.Oldest(q.name, nil); err == nil && oldest != nil {
		status.Oldest = oldest.Created
	}
	return status
}

// publish makes the state of the queue's goroutine readable for others.
func (q *queue) publish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := &q.published
	p.InFlight = q.sending
	p.State, p.Until = q.state(time.Now())
	p.Cause, p.FailingSince = q.standing.cause, q.standing.failingSince
}

func (q *queue) state(now time.Time) (state string, until time.Time) {
	switch {
	case q.standing.disabled():
		return TargetDisabled, q.standing.trialAt
	case q.heldUntil.After(now):
		return TargetHeld, q.heldUntil
	case !q.breaker.isClosed():
		return TargetDown, q.breaker.waitsUntil()
	}
	return TargetUp, time.Time{}
}

// noteResult keeps what the last attempts said.
func (q *queue) noteResult(r send.Result, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.Outcome == send.Delivered {
		q.published.LastSuccess = now
		return
	}
	q.published.LastError, q.published.LastErrorAt = r.Reason, now
}
