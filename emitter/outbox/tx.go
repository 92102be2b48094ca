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
	bolt *bolt.Tx
	identity
	now time.Time
	// targets are the target records read so far; putTargets writes them.
	targets map[string]*targetRecord
	// woken are the targets that have a new delivery to send.
	woken map[string]struct{}
	// size is how large the file can be. ledger is what takes how much of it, before
	// what did at first.
	size           budget
	ledger, before ledger
	// added counts the deliveries and the records of journeys that are new, refused
	// the deliveries that there was no room for.
	added    int
	refused  uint64
	refusals *refusals
	// withdrawn reports that a pending delivery was discarded.
	withdrawn bool
	// after has the functions to call once the commit is on disk.
	after []func()
	err   error
}

func newTx(b *bolt.Tx, id identity, now time.Time) *Tx {
	return &Tx{bolt: b, identity: id, now: now, targets: map[string]*targetRecord{}, woken: map[string]struct{}{}}
}

// After calls fn once the change is on disk. fn is not durable: after a crash in
// between or a failed disk it is not called.
func (tx *Tx) After(fn func()) { tx.after = append(tx.after, fn) }

func (tx *Tx) bucket(name []byte) *bolt.Bucket {
	b := tx.bolt.Bucket(name)
	if growing[string(name)] {
		b.FillPercent = growingFill
	}
	return b
}

func (tx *Tx) get(bucket, key []byte) []byte { return tx.bucket(bucket).Get(key) }

func (tx *Tx) has(bucket, key []byte) bool { return tx.get(bucket, key) != nil }

func (tx *Tx) put(bucket, key, value []byte) {
	tx.weigh(bucket, key, len(value))
	if value == nil {
		value = []byte{} // get returns nil for a record that there is not
	}
	if err := tx.bucket(bucket).Put(key, value); err != nil {
		tx.fail(fmt.Errorf("cannot put a record of %d bytes into %s: %w", len(value), bucket, err))
	}
}

func (tx *Tx) delete(bucket, key []byte) {
	tx.weigh(bucket, key, -1)
	if err := tx.bucket(bucket).Delete(key); err != nil {
		tx.fail(fmt.Errorf("cannot delete a record of %s: %w", bucket, err))
	}
}

// fail keeps the first error of a change.
func (tx *Tx) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}
