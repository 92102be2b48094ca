package outbox

import "time"

// Redeliver makes a Delivered or Dead delivery Waiting again, due at the given
// time: with the same id and body, with all its attempts again, and outside the
// order of its lane. It returns false if there is no such delivery.
func (tx *Tx) Redeliver(seq uint64, due time.Time) bool {
	p := tx.progress(seq)
	if p == nil || p.discarded || p.isPending() {
		return false
	}
	d, ok := tx.delivery(seq)
	if !ok {
		return false
	}
	bytes := tx.deliveryBytes(seq)
	t := tx.target(d.Target)
	tx.delete(bucketDone, doneKey(p.target, p.State, p.Finished, seq))
	tx.tally(t, p.State, -1, -bytes)
	tx.tally(t, Waiting, 1, bytes)
	p.Progress, p.fromRetryAfter = redelivery(due), false
	tx.putPending(d.Target, seq, p)
	return true
}

// RedeliverTo sends a delivery in any state to another target too: with the same
// id and body, outside the order. The original stays as it is. It returns false if
// there is no such delivery, if it is already on its way to that target, or if the
// target has no room for more.
func (tx *Tx) RedeliverTo(seq uint64, target string, due time.Time) bool {
	record := tx.get(bucketDeliveries, uint64Key(seq))
	p := tx.progress(seq)
	if record == nil || p == nil {
		return false
	}
	d, err := decodeDelivery(seq, record, true)
	if err != nil {
		return false
	}
	if existing := tx.seqOf(d.ID, target); existing != 0 {
		return tx.Redeliver(existing, due)
	}
	d.Target = target
	t, copied := tx.target(target), d.encode()
	if tx.accepts(t, laneRecord{}, deliveryFootprint(copied)) != accepted {
		return false
	}
	other := &progressRecord{Progress: redelivery(due), target: t.number, lane: p.lane}
	tx.putPending(target, tx.putDelivery(t, copyID(d.ID, target), copied), other)
	return true
}

// redelivery has a due time, which makes it a retry, so that fresh deliveries go first.
func redelivery(due time.Time) Progress {
	return Progress{State: Waiting, Due: due, Redelivered: true}
}

// seqOf returns the seq of the delivery with this id to this target, 0 without one.
func (tx *Tx) seqOf(id, target string) uint64 {
	for _, key := range []hash{hashOf(id), copyID(id, target)} {
		if value := tx.get(bucketIDs, key[:]); len(value) == 8 {
			seq := lastUint64(value)
			if d, ok := tx.delivery(seq); ok && d.Target == target {
				return seq
			}
		}
	}
	return 0
}
