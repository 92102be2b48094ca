package deliver

import (
	"context"
	"errors"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// sendAll starts all attempts that may start now. It returns when to look again,
// zero if only something that happens can change that.
func (q *queue) sendAll(ctx context.Context) (wakeAt time.Time) {
	for {
		now := time.Now()
		if err := q.restore(now); err != nil {
			return q.cannotRead(err, now)
		}
		if until, blocked := q.health.blocks(now); blocked {
			return until
		}
		if q.pace.isFull() || len(q.backlog.busy) >= q.pace.maxBusy() {
			return time.Time{}
		}
		if q.pace.pausedUntil.After(now) {
			return q.pace.pausedUntil
		}
		d, wakeAt, err := q.next(now)
		if err != nil {
			return q.cannotRead(err, now)
		}
		if d == nil {
			return wakeAt
		}
		if !q.mayAct() {
			return now.Add(actPause)
		}
		if wait := q.pace.reserve(now); wait > 0 {
			return now.Add(wait)
		}
		permit, err := q.health.allow()
		if err != nil {
			return now.Add(time.Millisecond)
		}
		q.start(ctx, d, permit)
	}
}

// restore takes up what an earlier process left. Nothing is sent before.
func (q *queue) restore(now time.Time) error {
	if q.restored {
		return nil
	}
	known, err := q.store.Target(q.name)
	if err != nil {
		return err
	}
	oldest, err := q.store.Oldest(q.name, nil)
	if err != nil {
		return err
	}
	q.health.restore(known, oldest != nil && oldest.Attempts > 0, now)
	q.restored = true
	return nil
}

// next returns what to send next, and when to look again if there is nothing.
func (q *queue) next(now time.Time) (d *outbox.Delivery, wakeAt time.Time, err error) {
	admits, until := q.health.admits(now)
	if admits == admitsNone {
		return nil, until, nil
	}
	q.backlog.refresh()
	if q.backlog.needsRead(now) {
		if err := q.backlog.read(now); err != nil {
			return nil, time.Time{}, err
		}
		if q.backlog.nextDue.After(now.Add(longestWait(q.to.target.Retry))) {
			q.acks.hasten() // the clock was set back since
		}
	}
	d, wakeAt = q.backlog.first()
	switch {
	case d == nil && admits == admitsAny:
		d, err = q.backlog.early()
	case d != nil && d.Attempts > 0 && admits == admitsNew:
		return nil, until, nil
	}
	return d, wakeAt, err
}

// cannotRead waits for the outbox to open, or pauses if it cannot be read.
func (q *queue) cannotRead(err error, now time.Time) (wakeAt time.Time) {
	if errors.Is(err, outbox.ErrClosed) {
		q.backlog.isStale = false // until ready says that it is open
		return time.Time{}
	}
	q.warnRead.Do(func() { q.log.Warn("cannot read deliveries", "error", err) })
	q.pace.backOff(now)
	return q.pace.pausedUntil
}
