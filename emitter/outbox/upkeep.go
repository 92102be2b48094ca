package outbox

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

const (
	// upkeepEvery is how often a replica looks whether there is something to be done
	// beside its writer.
	upkeepEvery = time.Second
	// lookEvery is how often a leader looks at what the log has.
	lookEvery = time.Minute
)

// upkeep is what a replica does beside its writer: it scrubs its file, and saves
// snapshots while it leads.
type upkeep struct {
	store *Store
	// looked is when the log was last looked at, in this term.
	looked time.Time
	// cancel ends what is done at the moment.
	cancel atomic.Pointer[context.CancelFunc]
}

// keepUp begins the upkeep of a replica and returns a function that ends it.
func (s *Store) keepUp(ctx context.Context) (end func()) {
	if s.options.Log == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); s.upkeep.run(ctx) }()
	return func() { cancel(); <-ended }
}

// run does what is to be done until ctx ends.
func (u *upkeep) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := u.step(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrClosed) && !errors.Is(err, ErrFollows) {
			u.store.log.Warn("cannot do the upkeep of a replica: it is tried again", "error", err)
			sleep(ctx, logEvery)
		}
		sleep(ctx, upkeepEvery)
	}
}

func (u *upkeep) step(ctx context.Context) error {
	if !u.store.exclusive.TryLock() {
		return nil
	}
	defer u.store.exclusive.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	u.cancel.Store(&cancel)
	if err := u.store.scrubMarked(ctx); err != nil {
		return err
	}
	term := u.store.writer.replication.terms.current()
	if term == nil {
		u.looked = time.Time{}
		return nil
	}
	defer context.AfterFunc(term, cancel)()
	keep, err := u.snapshotsDue(ctx)
	if err != nil || keep == 0 {
		return err
	}
	return u.store.shelve(ctx, keep)
}

// snapshotsDue returns how many snapshots there should be with a new one that is due, 0
// if none is: after so many bytes of entries, if the log has none, or if it has
// something from before the last scrub.
func (u *upkeep) snapshotsDue(ctx context.Context) (keep int, err error) {
	r := u.store.writer.replication
	if r.isSnapshotDue() {
		return snapshotsKept, nil
	}
	if time.Since(u.looked) < lookEvery {
		return 0, nil
	}
	log, _, err := r.log.state(ctx)
	if err != nil {
		return 0, err
	}
	scrubbed, err := u.store.scrubbed()
	if err != nil {
		return 0, err
	}
	u.looked = time.Now()
	switch {
	case log.first <= scrubbed:
		return 1, nil
	case log.snapshot.isNone():
		return snapshotsKept, nil
	}
	return 0, nil
}

// yield ends what is being done, which holds exclusive. It is done later.
func (u *upkeep) yield() {
	if cancel := u.cancel.Load(); cancel != nil {
		(*cancel)()
	}
}
