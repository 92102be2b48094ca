package outbox

import (
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// growingFill is how full the pages of growing buckets are made: no key will be
// inserted between theirs, so that free room in a page would stay empty.
const growingFill = 0.95

// Tx is the state file within one change. It and the bytes that it returns are
// valid until the change's function returns; the bytes must not be changed.
//
// A change that cannot be made (an empty key, a key that is too long) is dropped
// as a whole, logged and counted; the others of its commit are made.
type Tx struct {
	view *view
	identity
	now time.Time
	// targets are the target records read so far; putTargets writes them.
	targets map[string]*targetRecord
	// woken are the targets that have a new delivery to send.
	woken map[string]struct{}
	// full reports that the file takes no further deliveries, refused counts those
	// that it did not take, addedBytes is the length of those that it did.
	full       bool
	refused    uint64
	addedBytes int
	// withdrawn reports that a pending delivery was discarded.
	withdrawn bool
	// after has the functions to call once the commit is on disk.
	after []func()
	err   error
}

func newTx(b *bolt.Tx, id identity, now time.Time) *Tx {
	return &Tx{view: newView(b), identity: id, now: now, targets: map[string]*targetRecord{}, woken: map[string]struct{}{}}
}

// After calls fn once the change is on disk. fn is not durable: after a crash in
// between or a failed disk it is not called.
func (tx *Tx) After(fn func()) { tx.after = append(tx.after, fn) }

func (tx *Tx) get(b bucket, key []byte) []byte { return tx.view.get(b, key) }

func (tx *Tx) has(b bucket, key []byte) bool { return tx.get(b, key) != nil }

func (tx *Tx) put(b bucket, key, value []byte) {
	if err := tx.bucket(b).Put(key, value); err != nil {
		tx.fail(fmt.Errorf("cannot put a record of %d bytes into %s: %w", len(value), b.name(), err))
	}
}

func (tx *Tx) delete(b bucket, key []byte) {
	if err := tx.bucket(b).Delete(key); err != nil {
		tx.fail(fmt.Errorf("cannot delete a record of %s: %w", b.name(), err))
	}
}

// nextSequence returns the next number of a bucket, from 1.
func (tx *Tx) nextSequence(b bucket) uint64 {
	n, err := tx.bucket(b).NextSequence()
	if err != nil {
		tx.fail(fmt.Errorf("cannot number a record of %s: %w", b.name(), err))
	}
	return n
}

func (tx *Tx) bucket(b bucket) *bolt.Bucket {
	in := tx.view.bucket(b)
	if b.isGrowing() {
		in.FillPercent = growingFill
	}
	return in
}

// fail keeps the first error of a change.
func (tx *Tx) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}
