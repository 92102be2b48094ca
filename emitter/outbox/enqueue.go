package outbox

import "errors"

// The reasons why a change is dropped.
var (
	errNoKey    = errors.New("cannot keep a journey without a key")
	errNoTarget = errors.New("cannot keep a delivery without a target")
	errNoID     = errors.New("cannot keep a delivery without an id")
)

// Enqueue adds a delivery, which is kept until it is finished, and Retention
// longer. It goes behind the pending ones of its lane. Enqueue does nothing and
// returns false if there is a delivery with this ID already, whatever its state,
// or if the file is full.
func (tx *Tx) Enqueue(d Delivery) (added bool) {
	if d.ID == "" {
		tx.fail(errNoID)
		return false
	}
	id := hashOf(d.ID)
	if tx.has(bucketIDs, id[:]) {
		return false
	}
	if tx.full {
		tx.refused++
		return false
	}
	p := &progressRecord{Progress: Progress{State: Waiting}, lane: tx.laneOf(&d)}
	seq := tx.putDelivery(&d, id, p)
	if p.isOrdered() {
		tx.appendToLane(seq, p)
	}
	tx.putPending(d.Target, seq, p)
	return true
}

// putDelivery writes a delivery under a new seq, and sets the target of p.
func (tx *Tx) putDelivery(d *Delivery, id hash, p *progressRecord) (seq uint64) {
	seq = tx.nextSequence(bucketDeliveries)
	record := d.encode()
	tx.put(bucketDeliveries, uint64Key(seq), record)
	tx.put(bucketIDs, id[:], uint64Key(seq))
	t := tx.target(d.Target)
	p.target = t.number
	t.count(Waiting, 1)
	t.addPendingBytes(len(record))
	return seq
}

// putPending writes the progress of a pending delivery, and wakes the target's
// listener if it may be sent.
func (tx *Tx) putPending(target string, seq uint64, p *progressRecord) {
	tx.putProgress(seq, p)
	if p.State == Waiting {
		tx.setReady(seq, p)
		tx.woken[target] = struct{}{}
	}
}
