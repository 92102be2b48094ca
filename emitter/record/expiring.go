package record

import (
	"context"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// expireStep is how many journeys one commit expires.
const expireStep = 256

// expireLater has a journey's observations stop waiting for the survey's id when
// that is due, or now if too many wait.
func (r *Recorder) expireLater(s settlement) {
	select {
	case r.expiring <- s:
	default:
		r.submit(func(tx *outbox.Tx) { r.expire(tx, s.journey) })
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
				var keys []rules.Key
				keys, next, isDue = r.dueWith(next)
				err := r.store.Do(ctx, func(tx *outbox.Tx) {
					for _, key := range keys {
						r.expire(tx, key)
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

// dueWith returns the journeys that are due together with the first one, and the
// next one if that has been taken from the queue already.
func (r *Recorder) dueWith(first settlement) (keys []rules.Key, next settlement, isTaken bool) {
	keys, now := []rules.Key{first.journey}, r.now()
	for len(keys) < expireStep {
		select {
		case next = <-r.expiring:
			if next.due.After(now) {
				return keys, next, true
			}
			keys = append(keys, next.journey)
		default:
			return keys, settlement{}, false
		}
	}
	return keys, settlement{}, false
}

func (r *Recorder) expire(tx *outbox.Tx, key rules.Key) {
	r.carryOut(tx, r.now(), r.foldIn(tx).Expire(key))
}
