package outbox

import (
	"context"
	"errors"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// salvage moves what can be read of a damaged journal to the state file, sets the
// files of the journal aside and begins new ones.
func (e *engine) salvage(found []*segment) error {
	last, damaged := found[len(found)-1].last, uint64(0)
	for _, s := range found {
		damaged += s.damaged
	}
	e.log.Error("the journal is damaged: some changes of the last seconds before the stop are lost, and its files are kept beside it",
		"files", e.journal.path(0)+asideSuffix+", "+e.journal.path(1)+asideSuffix, "damaged_commits", damaged)
	for _, s := range found {
		if err := e.apply(context.Background(), &frozen{changes: s.changes, upTo: s.last}); err != nil {
			return err
		}
	}
	last.segment += 2 // higher than any that was damaged
	err := e.update(func(tx *bolt.Tx) error { return putPosition(tx.Bucket(bucketMeta.name()), last) })
	if err = errors.Join(err, e.journal.setAside()); err != nil {
		return err
	}
	e.journal.last = last
	return e.journal.rotate()
}

// update makes a change of the state file itself, past the journal.
func (e *engine) update(fn func(*bolt.Tx) error) (err error) {
	defer guard(&err)()
	err = e.db.Update(fn)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}
