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
	// view has the changes so far in its first layer.
	view    *view
	changes *overlay
	// made is the number of changes of the batch that were made.
	made int
	identity
	now time.Time
	// isMinute is the minute that it is, 0 until it is read.
	isMinute minute
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
	// overflows notes what was counted together with others.
	overflows *overflows
	// counting is what was counted so far; putCounts writes it.
	counting map[countsKey]*counting
	// withdrawn reports that a pending delivery was discarded.
	withdrawn bool
	// noted are the damaged records found so far, toSetAside those that were not set
	// aside yet.
	noted      map[string]noted
	toSetAside []noted
	damage     *damageReport
	// startAudit, mustRecount and wokeAll ask for what damage makes necessary.
	startAudit, mustRecount, wokeAll bool
	// restored is how many deliveries were put back into the ready index.
	restored int
	// after has the functions to call once the commit is on disk.
	after []func()
	// beat says, if it is time, that this replica leads; nil for a store that is alone.
	beat func() error
	err  error
}

// newTx makes a Tx on a view of what is committed.
func newTx(v *view, id identity, now time.Time) *Tx {
	changes := newOverlay()
	v.layers = append([]*overlay{changes}, v.layers...)
	tx := &Tx{view: v, changes: changes, identity: id, now: now, targets: map[string]*targetRecord{}, woken: map[string]struct{}{}}
	v.damaged = tx.note
	return tx
}

// After calls fn once the change is on disk. fn is not durable: after a crash in
// between or a failed disk it is not called.
func (tx *Tx) After(fn func()) { tx.after = append(tx.after, fn) }

// Beat has the other replicas know that this one still leads. A change that may take long
// calls it now and then, or another replica takes over meanwhile, and has to begin the
// same change. If it returns false, that has happened: the change should return.
func (tx *Tx) Beat() (goesOn bool) {
	if tx.beat != nil && tx.err == nil {
		tx.err = tx.beat()
	}
	return tx.err == nil
}

func (tx *Tx) get(b bucket, key []byte) []byte { return tx.view.get(b, key) }

func (tx *Tx) has(b bucket, key []byte) bool { return tx.get(b, key) != nil }

func (tx *Tx) put(b bucket, key, value []byte) {
	if len(key) == 0 || len(key) > bolt.MaxKeySize || len(value) > bolt.MaxValueSize {
		tx.fail(fmt.Errorf("cannot put a record of %d bytes with a key of %d into %s", len(value), len(key), b.name()))
		return
	}
	if value == nil {
		value = []byte{}
	}
	tx.weigh(b, key, len(value))
	tx.changes.grown += fileSize(key, value)
	if b == bucketJourneys { // the others are small, or new
		if old, ok := tx.view.overlaid(b, key); ok && old != nil {
			tx.changes.grown -= fileSize(key, unseal(old))
		}
	}
	tx.changes.set(newRecord(b, key, value))
	tx.view.floors = tx.view.floors.lower(b, key)
}

func (tx *Tx) delete(b bucket, key []byte) {
	old := tx.get(b, key)
	if old == nil {
		return
	}
	tx.weigh(b, key, -1)
	tx.changes.grown -= fileSize(key, old)
	tx.changes.set(newRecord(b, key, nil))
}

// nextSequence returns the next number of a bucket, from 1.
func (tx *Tx) nextSequence(b bucket) uint64 {
	n := tx.view.sequence(b) + 1
	tx.changes.set(newRecord(sequences, []byte{byte(b)}, uint64Key(n)))
	return n
}

// fail keeps the first error of a change.
func (tx *Tx) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}
