package outbox

import (
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// A replica repairs nothing: its file would not be like the others any more. One whose
// file has lost something is marked, and a snapshot takes its place.

// suspect is a record that may be damaged.
type suspect struct {
	bucket bucket
	key    []byte
}

// suspect has the writer look at a record that a reader found damaged.
func (r *replication) suspect(b bucket, key []byte) {
	select {
	case r.suspects <- suspect{b, key}:
	default: // there is one already
	}
}

// examine looks at a record, and marks the file if it is damaged.
func (w *writer) examine(one suspect) {
	isDamaged, err := w.isDamaged(one)
	if err == nil && isDamaged {
		err = w.giveUp()
	}
	if err != nil {
		w.store.log.Error("cannot see to a damaged record", "error", err)
	}
}

func (w *writer) isDamaged(one suspect) (found bool, err error) {
	defer guard(&err)()
	v, err := w.engine.view()
	if err != nil {
		return false, err
	}
	defer v.end()
	v.damaged = func(bucket, []byte, []byte) { found = true }
	v.get(one.bucket, one.key)
	return found, nil
}

// giveUp marks the file as one that has lost something. If it leads, it stops.
func (w *writer) giveUp() error {
	w.store.log.Error("the state file has lost something: a snapshot takes its place; look for a failing disk", "error", errLost)
	if err := w.engine.markLost(); err != nil {
		return fmt.Errorf("cannot mark the state file as damaged: %w", explain(err))
	}
	w.leave()
	w.unfollow()
	return nil
}

// enrol sees to it that a replica's file that has lost something is marked, and that
// the file of a store that is alone, and was one of several, mints no id that another
// one may mint too.
func (w *writer) enrol() error {
	if w.replication == nil {
		return w.engine.detach()
	}
	if w.engine.mustAudit {
		return w.engine.markLost()
	}
	return nil
}

// detach makes the file of a replica one that belongs to no log.
func (e *engine) detach() (err error) {
	defer guard(&err)()
	v, err := e.view()
	if err != nil {
		return err
	}
	defer v.end()
	at, hasPlace, isLost := v.place()
	if !hasPlace && !isLost {
		return nil
	}
	changes := newOverlay()
	if mayOthersGoOn := at.index > 0 || isLost; mayOthersGoOn {
		v.identity().withNewEpoch().putInto(changes)
	}
	for _, key := range [][]byte{keyApplied, keyPredecessor, keyLost, keySeen, keyHeard, keyScrubbed} {
		changes.set(newRecord(bucketMeta, key, nil))
	}
	for key := range v.ascend(bucketMeta, seenFromStart, nil) {
		changes.set(newRecord(bucketMeta, key, nil))
	}
	e.mustAudit = e.mustAudit || isLost
	return e.commit(v, changes)
}

// markLost marks the file as one that has lost something.
func (e *engine) markLost() error {
	return e.update(func(tx *bolt.Tx) error { return putMeta(tx.Bucket(bucketMeta.name()), keyLost, []byte{}) })
}
