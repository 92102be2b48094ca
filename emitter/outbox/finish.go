package outbox

// Delivered notes the successful attempt of a delivery and promotes the next one of its lane.
func (tx *Tx) Delivered(seq uint64, a Attempt) { tx.finish(seq, Delivered, a) }

// Dead notes the last attempt of a delivery and promotes the next one of its lane.
func (tx *Tx) Dead(seq uint64, a Attempt) {
	if p := tx.finish(seq, Dead, a); p != nil {
		tx.putFailure(seq, p, a)
	}
}

// finish moves a delivery from the pending ones to the finished ones. It returns
// nil if the delivery is not Waiting.
func (tx *Tx) finish(seq uint64, state State, a Attempt) *progressRecord {
	p := tx.waitingProgress(seq)
	if p == nil {
		return nil
	}
	d, ok := tx.delivery(seq)
	if !ok {
		return nil
	}
	bytes := tx.deliveryBytes(seq)
	tx.clearReady(seq, p)
	if tx.promoteNext(seq, p) {
		tx.woken[d.Target] = struct{}{}
	}
	p.Progress = Progress{
		State: state, Attempts: p.Attempts + 1, Rejections: p.Rejections, Finished: a.At, Status: a.Status, Redelivered: p.Redelivered,
	}
	p.next = 0
	tx.putProgress(seq, p)
	tx.put(bucketDone, doneKey(p.target, state, p.Finished, seq), nil)
	t := tx.target(d.Target)
	tx.tally(t, Waiting, -1, -bytes)
	tx.tally(t, state, 1, bytes)
	return p
}
