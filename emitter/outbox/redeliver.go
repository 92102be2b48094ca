package outbox

import "time"

// Redeliver makes a delivered or dead delivery wait again until due, with the
// same id and bytes, all its attempts before it, and outside the order of its
// lane. It returns false when there is none.
func (tx *Tx) Redeliver(seq uint64, due time.Time) bool {
	p := tx.progress(seq)
	if p == nil || p.gone || p.pending() {
		return false
	}
	d, size := tx.record(seq)
	t := tx.target(d.Target)
	tx.delete(bucketDone, doneKey(p.target, p.State, p.Finished, seq))
	t.count(p.State, -1)
	t.count(Waiting, 1)
	t.weigh(size)
	p.Progress, p.told = redelivery(due), false
	tx.await(d.Target, seq, p)
	return true
}

// RedeliverTo makes a delivery, whatever its state, go to another target too:
// with the same id and bytes, outside the order. It stays as it is where it was.
// It returns false when there is none, when it is already on its way there, or
// when the file has no room.
func (tx *Tx) RedeliverTo(seq uint64, target string, due time.Time) bool {
	record := tx.get(bucketDeliveries, uint64Key(seq))
	p := tx.progress(seq)
	if record == nil || p == nil {
		return false
	}
	d, err := decodeDelivery(seq, record, true)
	if err != nil {
		tx.fail(err)
		return false
	}
	if there := tx.seqOf(d.ID, target); there != 0 {
		return tx.Redeliver(there, due)
	}
	if tx.full {
		return false
	}
	d.Target = target
	other := &progress{Progress: redelivery(due), lane: p.lane}
	if seq := tx.keep(d, copyID(d.ID, target), other); seq != 0 {
		tx.await(target, seq, other)
	}
	return true
}

// redelivery is due in the class of retries, so that what is fresh goes first.
func redelivery(due time.Time) Progress {
	return Progress{State: Waiting, Due: due, Redelivered: true}
}

// seqOf is the seq of the delivery with this id to this target, 0 without one.
func (tx *Tx) seqOf(id, target string) uint64 {
	for _, key := range []hash{hashOf(id), copyID(id, target)} {
		if value := tx.get(bucketIDs, key[:]); len(value) == 8 {
			seq := lastUint64(value)
			if d, _ := tx.record(seq); d.Target == target {
				return seq
			}
		}
	}
	return 0
}
