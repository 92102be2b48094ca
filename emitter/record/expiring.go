package record

import (
	"context"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// expireStep is how many journeys one commit expires.
const expireStep = 256

// expiry is when the observations of a journey stop waiting.
type expiry struct {
	settlement
	// givesUp is set if they wait for a past that is not queued; otherwise they wait
	// for the survey's id.
	givesUp bool
}

// expireLater has a journey's observations stop waiting when that is due, or now if
// too many wait.
func (r *Recorder) expireLater(e expiry) {
	select {
	case r.expiring <- e:
	default:
		r.submit(func(tx *outbox.Tx) { r.expire(tx, e) })
	}
}

// runExpiring expires journeys when they are due, until ctx ends. What waits then
// is dropped after the next start.
func (r *Recorder) runExpiring(ctx context.Context) {
	for {
		select {
		case next := <-r.expiring:
			for isDue := true; isDue && ctx.Err() == nil; {
				r.sleepUntil(ctx, next.due)
				var due []expiry
				due, next, isDue = r.dueWith(next)
				err := r.store.Do(ctx, func(tx *outbox.Tx) {
					for _, one := range due {
						r.expire(tx, one)
					}
				})
				if err != nil {
					return
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

// dueWith returns the expiries that are due together with the first one, and the
// next one if that has been taken from the queue already.
func (r *Recorder) dueWith(first expiry) (due []expiry, next expiry, isTaken bool) {
	due, now := []expiry{first}, r.now()
	for len(due) < expireStep {
		select {
		case next = <-r.expiring:
			if next.due.After(now) {
				return due, next, true
			}
			due = append(due, next)
		default:
			return due, expiry{}, false
		}
	}
	return due, expiry{}, false
}

func (r *Recorder) expire(tx *outbox.Tx, e expiry) {
	if e.givesUp {
		r.join(tx, e.journey, nil)
		return
	}
	r.carryOut(tx, r.now(), r.foldIn(tx).Expire(e.journey))
}
