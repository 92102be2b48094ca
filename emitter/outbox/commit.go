package outbox

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// These bound what one commit holds, and so how long it takes. A single change is
// never divided.
const (
	maxBatch     = 1024
	maxBatchTime = 50 * time.Millisecond
)

// commit writes the batch, or the first part of a long one. If that fails, its
// changes keep waiting.
func (w *writer) commit() error {
	started := time.Now()
	tx, err := w.writeBatch()
	if err != nil {
		return w.unwritable(err)
	}
	w.identity = tx.identity
	made := w.batch[:tx.made]
	if w.batch = w.batch[tx.made:]; len(w.batch) == 0 {
		w.batch = nil
	}
	w.store.committed(made, tx, &w.trimmer, time.Since(started))
	return nil
}

// unwritable returns the error of a commit that failed. A state file that turns out to
// be damaged is closed.
func (w *writer) unwritable(err error) error {
	if errors.Is(err, errCorrupt) {
		w.close()
	}
	if errors.Is(err, errLog) {
		return err
	}
	return fmt.Errorf("cannot write the state file: %w", explain(err))
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

// transact commits the batch. failed is the index of the change that made it
// impossible, nil if no change is to blame.
func (w *writer) transact() (tx *Tx, failed *int, err error) {
	v, err := w.engine.view()
	if err != nil {
		return nil, nil, err
	}
	defer v.end()
	tx = newTx(v, w.identity, time.Now())
	w.trimmer.fillerBytes = fillerBytes(v.bolt)
	tx.damage = w.store.damage
	if w.replication != nil {
		tx.beat = w.beat
	}
	w.trimmer.begin(tx)
	w.verify(tx)
	for i, c := range w.batch {
		isLarge := int64(tx.changes.memory) >= w.commitSize()
		if isLong := time.Since(tx.now) >= maxBatchTime; i > 0 && (isLong || isLarge) {
			break
		}
		if err := apply(tx, c); errors.Is(err, errCorrupt) || isOfLog(err) {
			return nil, nil, err
		} else if err != nil {
			return nil, &i, err
		}
		tx.made++
	}
	tx.putCounts()
	w.trimmer.trim(tx)
	w.repair(tx)
	tx.putTargets()
	if tx.err != nil {
		return nil, nil, tx.err
	}
	if hasNothing := tx.changes.isEmpty() && !w.mustCommit; hasNothing {
		return tx, nil, nil
	}
	if w.replication == nil {
		return tx, nil, w.engine.commit(v, tx.changes)
	}
	if err := w.replicate(v, tx); errors.Is(err, errTooLong) {
		last := max(tx.made, 1) - 1
		return nil, &last, err
	} else if err != nil {
		return nil, nil, err
	}
	return tx, nil, nil
}

// commitSize is how many bytes of changes a commit has before no other is added.
func (w *writer) commitSize() int64 {
	if w.replication == nil {
		return w.store.segmentSize / 2
	}
	return min(w.store.segmentSize/2, int64(w.replication.log.MaxEntry()))
}

// verify sees to it, once the file is open, that no target whose record is damaged
// gets another number, and no delivery the seq of another.
func (w *writer) verify(tx *Tx) {
	if w.engine.isVerified {
		return
	}
	tx.targetNames()
	tx.setAside()
	if w.engine.mustAudit {
		tx.restoreTargets()
	}
	tx.raiseSequences()
	audit := newAudit(tx, w.engine.mustAudit || tx.startAudit)
	tx.After(func() { w.engine.isVerified, w.audit = true, audit })
}

// repair sets aside what was found damaged, and goes on with the audit.
func (w *writer) repair(tx *Tx) {
	tx.setAside()
	audit := w.audit
	if !w.engine.isVerified { // it begins with the next commit
		return
	}
	audit.step(tx)
	tx.setAside()
	if tx.startAudit {
		audit = newAudit(tx, true)
	}
	if n := tx.restored; n > 0 {
		tx.After(func() {
			w.store.log.Warn("pending deliveries that an index had lost were put back into it: look for a failing disk", "deliveries", n)
		})
	}
	if tx.mustRecount {
		tx.recount()
	}
	tx.After(func() { w.audit = audit })
}

// apply runs a change and turns its panic into an error.
func apply(tx *Tx, c change) (err error) {
	defer func() {
		p := recover()
		_, isFault := p.(interface{ Addr() uintptr })
		if cause, _ := p.(error); isFault || errors.Is(cause, errCorrupt) {
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

// refuse tells those who wait for changes that another replica leads.
func (s *Store) refuse(batch []change) {
	s.changes.release(batch)
	for _, c := range batch {
		if c.outcome != nil {
			*c.outcome = ErrFollows
		}
		close(c.done)
	}
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
	if tx.wokeAll {
		s.wake(nil)
	} else {
		s.wake(tx.woken)
	}
	for _, fn := range tx.after {
		fn()
	}
	s.commitSeconds.Observe(took.Seconds())
}
