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
// or if its target or lane has no room for more.
func (tx *Tx) Enqueue(d Delivery) (added bool) {
	if d.ID == "" {
		tx.fail(errNoID)
		return false
	}
	id := hashOf(d.ID)
	if tx.has(bucketIDs, id[:]) {
		return false
	}
	t, record := tx.target(d.Target), d.encode()
	p := &progressRecord{Progress: Progress{State: Waiting}, target: t.number, lane: tx.laneOf(&d)}
	lane, bytes := tx.readLane(p), deliveryFootprint(record)
	if reason := tx.accepts(t, lane, bytes); reason != accepted {
		tx.refuse(d.Target, reason)
		return false
	}
	seq := tx.putDelivery(t, id, record)
	if p.isOrdered() {
		tx.appendToLane(seq, p, lane, bytes)
	}
	tx.putPending(d.Target, seq, p)
	return true
}

// putDelivery writes the record of a pending delivery under a new seq.
func (tx *Tx) putDelivery(t *targetRecord, id hash, record []byte) (seq uint64) {
	seq = tx.nextSequence(bucketDeliveries)
	tx.put(bucketDeliveries, uint64Key(seq), record)
	tx.put(bucketIDs, id[:], uint64Key(seq))
	tx.tally(t, Waiting, 1, deliveryFootprint(record))
	tx.added++
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
