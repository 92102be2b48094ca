package outbox

// Withdrawals changes whenever pending deliveries were discarded: deliveries
// that were read before must not be sent without reading them again.
func (s *Store) Withdrawals() uint64 { return s.withdrawals.Load() }

// Discard deletes a delivery in any state. A pending one is not sent any more,
// except for an attempt in flight. It returns false if there is no such delivery.
func (tx *Tx) Discard(seq uint64) bool {
	p := tx.progress(seq)
	switch {
	case p == nil || p.discarded:
		return false
	case !p.isPending():
		tx.dropFinished(doneKey(p.target, p.State, p.Finished, seq), p.State)
		return true
	}
	d, ok := tx.delivery(seq)
	if !ok {
		return false
	}
	tx.tally(tx.target(d.Target), Waiting, -1, -tx.deliveryBytes(seq))
	tx.withdrawn = true
	if p.State == Behind {
		tx.leaveLane(seq, p)
		tx.deleteDelivery(seq, d)
		p.discarded = true
		tx.putProgress(seq, p)
		return true
	}
	tx.clearReady(seq, p)
	if tx.promoteNext(seq, p) {
		tx.woken[d.Target] = struct{}{}
	}
	tx.deleteDelivery(seq, d)
	tx.delete(bucketProgress, uint64Key(seq))
	return true
}

// deleteDelivery deletes all records of a delivery but its progress.
func (tx *Tx) deleteDelivery(seq uint64, d *Delivery) {
	key := uint64Key(seq)
	for _, id := range []hash{hashOf(d.ID), copyID(d.ID, d.Target)} {
		if value := tx.get(bucketIDs, id[:]); len(value) == 8 && lastUint64(value) == seq {
			tx.delete(bucketIDs, id[:])
		}
	}
	tx.delete(bucketDeliveries, key)
	tx.delete(bucketFailures, key)
}
