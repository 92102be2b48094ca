package outbox

import (
	"context"
	"time"
)

const (
	// busyPatience is how long Backup and Scrub wait for the upkeep of a replica to yield,
	// and busyPause how often they look.
	busyPatience = 5 * time.Second
	busyPause    = 10 * time.Millisecond
)

// acquire takes exclusive, or returns ErrBusy. What a replica does for the others in
// the background yields.
func (s *Store) acquire(ctx context.Context) error {
	for by := time.Now().Add(busyPatience); !s.exclusive.TryLock(); sleep(ctx, busyPause) {
		if s.options.Log == nil || time.Now().After(by) {
			return ErrBusy
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.upkeep.yield()
	}
	return nil
}
