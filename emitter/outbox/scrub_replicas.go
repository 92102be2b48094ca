package outbox

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// Each replica overwrites what was deleted once it has read an entryScrub. It marks its
// file in the same commit, so that it begins again after a crash:
//
//	entryScrub ─► file is marked ─► overwritten ─► mark is deleted
//
// What the leader has deleted is still in entries and snapshots. So it saves a new one
// then, and drops all that is older. If it does not come to that, the next leader does.

// scrubReplicas has all replicas overwrite what was deleted. The caller holds exclusive.
func (s *Store) scrubReplicas(ctx context.Context) error {
	if err := s.inWriter(ctx, (*writer).sayScrub); err != nil {
		return fmt.Errorf("cannot have the replicas overwrite what was deleted: %w", err)
	}
	if err := s.scrubMarked(ctx); err != nil {
		return err
	}
	return s.shelve(ctx, 1)
}

// sayScrub writes an entryScrub, and marks this replica's own file.
func (w *writer) sayScrub() (err error) {
	r := w.replication
	if !r.leads {
		return ErrFollows
	}
	defer guard(&err)()
	v, err := w.engine.view()
	if err != nil {
		return err
	}
	defer v.end()
	tx := newTx(v, w.identity, time.Now())
	markScrub(tx.changes, r.at.number+1)
	if r.proposal, err = r.propose(entryScrub, nil, tx); err != nil {
		return err
	}
	return w.settle(v)
}

// noticed marks the file when an entryScrub was read.
func (r *replication) noticed(e logEntry) {
	if e.kind != entryScrub {
		return
	}
	if r.held == nil {
		r.held = newOverlay()
	}
	markScrub(r.held, r.at.number)
}

// markScrub adds to the changes of a commit that the entryScrub with a number was read.
func markScrub(changes *overlay, number uint64) {
	changes.set(newRecord(bucketMeta, keyErase, uint64Key(number)))
	changes.set(newRecord(bucketMeta, keyScrubbed, uint64Key(number)))
}

// scrubMarked scrubs the file of this replica if it is marked. The caller holds exclusive.
func (s *Store) scrubMarked(ctx context.Context) error {
	mark, err := s.scrubMark()
	if err != nil || mark == nil {
		return err
	}
	if err := s.scrubFile(ctx); err != nil {
		return err
	}
	return s.inWriter(ctx, func(w *writer) error { return w.unmark(mark) })
}

// scrubMark returns the mark on the state file, nil if there is none.
func (s *Store) scrubMark() (mark []byte, err error) {
	err = s.view(func(v *view) error {
		mark = bytes.Clone(v.get(bucketMeta, keyErase))
		return nil
	})
	return mark, err
}

// unmark deletes the mark on the state file, unless there is a newer one.
func (w *writer) unmark(mark []byte) (err error) {
	defer guard(&err)()
	v, err := w.engine.view()
	if err != nil {
		return err
	}
	defer v.end()
	if !bytes.Equal(v.get(bucketMeta, keyErase), mark) {
		return nil
	}
	changes := newOverlay()
	changes.set(newRecord(bucketMeta, keyErase, nil))
	return w.engine.commit(v, changes)
}

// scrubbed returns the number of the last entryScrub, 0 if there was none.
func (s *Store) scrubbed() (number uint64, err error) {
	err = s.view(func(v *view) error {
		if record := v.get(bucketMeta, keyScrubbed); len(record) == 8 {
			number = lastUint64(record)
		}
		return nil
	})
	return number, err
}
