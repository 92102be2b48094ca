package outbox

import (
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// brimful is how full the pages of growing keys are made; the rest of a page
// would stay empty for ever.
const brimful = 0.95

// Tx is the state file inside of one change. It is valid until the change's
// function returns, and so are the bytes it gives; nobody may change them.
//
// A change that asks for the impossible (an empty or endless key) is dropped as
// a whole, logged and counted; the others of its commit are not touched.
type Tx struct {
	bolt *bolt.Tx
	identity
	now time.Time
	// targets are the target records read so far, written back before the commit.
	targets map[string]*target
	// woken are the targets with a head that was not there before.
	woken map[string]struct{}
	// full tells that the file has no room for another delivery; refused counts
	// those that were not taken, grown is how many bytes those that were have.
	full    bool
	refused uint64
	grown   int
	// withdrawn tells that something pending was discarded.
	withdrawn bool
	// filled is how many bytes of filler were put.
	filled int64
	// after is what to do once the commit is on disk.
	after []func()
	err   error
}

func newTx(b *bolt.Tx, of identity, now time.Time) *Tx {
	return &Tx{bolt: b, identity: of, now: now, targets: map[string]*target{}, woken: map[string]struct{}{}}
}

// Epoch is a text that this state file drew by chance. It is part of every
// delivery's id, so that a file which was lost, or which has forgotten
// journeys, can't mint an old id again.
func (tx *Tx) Epoch() string { return tx.epoch }

// After has fn called once the change is on disk. It is soon forgotten: a crash
// in between, or a disk that fails in the middle, leaves it out.
func (tx *Tx) After(fn func()) { tx.after = append(tx.after, fn) }

func (tx *Tx) bucket(name []byte) *bolt.Bucket {
	b := tx.bolt.Bucket(name)
	if appended[string(name)] {
		b.FillPercent = brimful
	}
	return b
}

func (tx *Tx) get(bucket, key []byte) []byte { return tx.bucket(bucket).Get(key) }

func (tx *Tx) has(bucket, key []byte) bool { return tx.get(bucket, key) != nil }

func (tx *Tx) put(bucket, key, value []byte) {
	if err := tx.bucket(bucket).Put(key, value); err != nil {
		tx.fail(fmt.Errorf("cannot put a record of %d bytes into %s: %w", len(value), bucket, err))
	}
}

func (tx *Tx) delete(bucket, key []byte) {
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

func (tx *Tx) progress(seq uint64) *progress {
	record := tx.get(bucketProgress, uint64Key(seq))
	if record == nil {
		return nil
	}
	p, err := decodeProgress(record)
	if err != nil {
		tx.fail(err)
		return nil
	}
	return p
}

// IsStill tells whether a delivery that was listed is in the same state.
func (tx *Tx) IsStill(d *Delivery) bool {
	p := tx.progress(d.Seq)
	return p != nil && !p.gone && p.State == d.State
}

func (tx *Tx) putProgress(seq uint64, p *progress) {
	tx.put(bucketProgress, uint64Key(seq), p.encode())
}
