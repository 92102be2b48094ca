package deliver

import (
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
)

// TargetStatus describes how a target is doing. What attempts said is kept since the start only.
type TargetStatus struct {
	Name  string
	State State
	// Until is when the target is tried again, zero if it is up or that is not known.
	Until time.Time
	// Cause is why the target is disabled, empty while it is not, and Disabled since when it is.
	Cause    outbox.Cause
	Disabled time.Time
	// FailingSince is the time of the first failure since the last success, zero without one.
	FailingSince time.Time
	// InFlight is the number of attempts in flight.
	InFlight int
	// Pending, Dead and Delivered count the deliveries that are kept.
	Pending, Dead, Delivered uint64
	// Oldest is when the oldest pending delivery was made, zero without one.
	Oldest time.Time
	// LastError is the reason of the last attempt that failed, and LastErrorAt when it ended.
	LastError   string
	LastErrorAt time.Time
	// LastSuccess is when the last attempt ended that did not fail.
	LastSuccess time.Time
}

// status combines what the queue published with what the store counts.
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
	p.InFlight = q.pace.inFlight
	p.State, p.Until = q.health.state(time.Now())
	p.Cause, p.FailingSince = q.health.standing.cause, q.health.standing.failingSince
}

// noteResult publishes the result of an attempt.
func (q *queue) noteResult(r send.Result, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.Outcome == send.Delivered {
		q.published.LastSuccess = now
		return
	}
	q.published.LastError, q.published.LastErrorAt = r.Reason, now
}
