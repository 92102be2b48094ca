package outbox

// Discard deletes a delivery, whatever its state; one that is pending is not
// sent any more, but for an attempt that is under way. It returns false when
// there is none.
func (tx *Tx) Discard(seq uint64) bool {
	p := tx.progress(seq)
	switch {
	case p == nil || p.gone:
		return false
	case !p.pending():
		tx.dropDelivery(doneKey(p.target, p.State, p.Finished, seq), p.State)
		return true
	}
	d, size := tx.record(seq)
	t := tx.target(d.Target)
	t.count(Waiting, -1)
	t.weigh(-size)
	tx.withdrawn = true
	tx.dropRecords(seq, d)
	if p.State == Behind {
		p.gone = true
		tx.putProgress(seq, p)
		return true
	}
	tx.clearReady(seq, p)
	tx.delete(bucketProgress, uint64Key(seq))
	if tx.promote(p) {
		tx.woken[d.Target] = struct{}{}
	}
	return true
}

// dropRecords deletes what says anything of a delivery; its progress stays.
func (tx *Tx) dropRecords(seq uint64, d *Delivery) {
	key := uint64Key(seq)
	for _, id := range []hash{hashOf(d.ID), copyID(d.ID, d.Target)} {
		if value := tx.get(bucketIDs, id[:]); len(value) == 8 && lastUint64(value) == seq {
			tx.delete(bucketIDs, id[:])
		}
	}
	tx.delete(bucketDeliveries, key)
	tx.delete(bucketFailures, key)
}
