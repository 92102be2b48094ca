package outbox

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// maxBatch bounds how many changes one commit holds, and so how long it takes.
const maxBatch = 1024

// commit writes the batch. If that fails, its changes keep waiting.
func (w *writer) commit() error {
	started := time.Now()
	tx, err := w.writeBatch()
	if err != nil {
		if errors.Is(err, errCorrupt) {
			w.close()
		}
		return fmt.Errorf("cannot write the state file: %w", explain(err))
	}
	w.failedTx = 0
	w.identity = tx.identity
	w.store.committed(w.batch, tx, &w.trimmer, time.Since(started))
	w.batch = nil
	return nil
}

// writeBatch makes one transaction of the batch, leaving out the changes that fail.
func (w *writer) writeBatch() (tx *Tx, err error) {
	defer guard(&err)()
	for {
		tx, failed, err := w.transact()
		if failed == nil {
			return tx, err
		}
		w.drop(*failed, err)
	}
}

// transact commits the batch in one transaction. failed is the index of the
// change that made it impossible, nil if no change is to blame.
func (w *writer) transact() (tx *Tx, failed *int, err error) {
	b, err := w.db.Begin(true)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = b.Rollback() }() // does nothing after a commit, and unlocks the file after a panic
	if reachedFile := w.failedTx != 0 && b.ID() > w.failedTx; reachedFile {
		// The commit that failed reached the file all the same: bbolt reads its meta
		// page back. An empty commit makes sure that it is on disk. Its effects have
		// to be read from the file.
		return &Tx{identity: readIdentity(b.Bucket(bucketMeta)), withdrawn: true}, nil, b.Commit()
	}
	tx = newTx(b, w.identity, time.Now())
	tx.full = w.trimmer.full
	w.trimmer.fillerBytes = fillerBytes(b)
	for i, c := range w.batch {
		if err := apply(tx, c); errors.Is(err, errCorrupt) {
			return nil, nil, err
		} else if err != nil {
			return nil, &i, err
		}
	}
	w.trimmer.trim(tx)
	tx.putTargets()
	if tx.err != nil {
		return nil, nil, tx.err
	}
	w.failedTx = b.ID()
	return tx, nil, b.Commit()
}

// apply runs a change and turns its panic into an error.
func apply(tx *Tx, c change) (err error) {
	defer func() {
		p := recover()
		if _, isFault := p.(interface{ Addr() uintptr }); isFault {
			err = errCorrupt
		} else if p != nil {
			// The panic's value may hold an answer, so the error has only its type.
			err = fmt.Errorf("a change panicked (%T) at %s", p, debug.Stack())
		}
	}()
	c.apply(tx)
	return tx.err
}

// drop removes a failed change from the batch: it would fail again.
func (w *writer) drop(i int, err error) {
	w.store.log.Error("dropped a failed change; please report this as a bug", "error", err)
	failed := w.batch[i]
	w.batch = append(w.batch[:i:i], w.batch[i+1:]...)
	w.store.changes.release([]change{failed})
	w.store.countDropped()
	close(failed.done)
}

// committed counts a commit and wakes all waiters.
func (s *Store) committed(batch []change, tx *Tx, t *trimmer, took time.Duration) {
	s.changes.release(batch)
	s.countCommit(tx, t, took)
	if tx.withdrawn {
		s.withdrawals.Add(1)
	}
	for _, c := range batch {
		close(c.done)
	}
	s.wake(tx.woken)
	for _, fn := range tx.after {
		fn()
	}
	s.commitSeconds.Observe(took.Seconds())
}
