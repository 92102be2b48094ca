package outbox

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"
)

// emptyPatience is for how long a replica whose state is empty leaves it to others to
// begin a log.
const emptyPatience = 5 * time.Second

// hasWaited reports whether the log has been empty for long enough, that is, whether
// replicas that have state had the time to begin it.
func (r *replication) hasWaited(log logState) bool {
	if isEmpty := log.first > log.last; !isEmpty {
		r.emptySince = time.Time{}
		return false
	}
	if r.emptySince.IsZero() {
		r.emptySince = time.Now()
	}
	return time.Since(r.emptySince) >= emptyPatience
}

// begin makes the state file the first snapshot of a log that has no entries. The file
// notes that first, so that it belongs to the log whatever happens then. Who leads the
// log first is decided as later; the files of others who have begun it lose.
func (w *writer) begin(ctx context.Context, file localState, log logState) error {
	at := file.place
	if at.log == (chain{}) {
		at.log = randomChain()
	}
	return w.beginAt(ctx, place{log: at.log, number: log.last, chain: at.log}, newOverlay())
}

// beginAt notes the place before the first entry of a log, with other changes, drops
// what is before it, and saves the snapshot.
func (w *writer) beginAt(ctx context.Context, at place, changes *overlay) error {
	if !w.store.exclusive.TryLock() {
		return ErrBusy
	}
	defer w.store.exclusive.Unlock()
	changes.set(newRecord(bucketMeta, keyScrubbed, nil)) // a number of the log before
	// What the replicas saw may be lost with that log, and be numbered anew. What of it is
	// left and folded is known by its incarnation.
	changes.set(newRecord(bucketMeta, keySeen, nil))
	if err := w.commitNote(changes, at); err != nil {
		return err
	}
	w.replication.differs = false
	if err := w.replication.log.drop(ctx, at.number); err != nil {
		return err
	}
	saved, err := w.store.saveSnapshot(ctx, w.engine)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnsaved, err)
	}
	w.store.log.Info("began a new log of the replicas with the state of this one", "snapshot", saved.name.text, "bytes", saved.size)
	return nil
}

func randomChain() (c chain) {
	_, _ = rand.Read(c[:]) // never fails
	return c
}
