package outbox

// Delivered notes the successful attempt of a delivery and promotes the next one of its lane.
func (tx *Tx) Delivered(seq uint64, a Attempt) { tx.finish(seq, Delivered, a) }

// Dead notes the last attempt of a delivery and promotes the next one of its lane.
func (tx *Tx) Dead(seq uint64, a Attempt) {
	tx.finish(seq, Dead, a)
	tx.putFailure(seq, a)
}

// finish moves a delivery from the pending ones to the finished ones.
func (tx *Tx) finish(seq uint64, state State, a Attempt) {
	p := tx.waitingProgress(seq)
	if p == nil {
		return
	}
	d, size := tx.delivery(seq)
	tx.clearReady(seq, p)
	if tx.promoteNext(p) {
		tx.woken[d.Target] = struct{}{}
	}
	p.Progress = Progress{
		State: state, Attempts: p.Attempts + 1, Rejections: p.Rejections, Finished: a.At, Status: a.Status, Redelivered: p.Redelivered,
	}
	p.next = 0
	tx.putProgress(seq, p)
	tx.put(bucketDone, doneKey(p.target, state, p.Finished, seq), nil)
	t := tx.target(d.Target)
	t.count(Waiting, -1)
	t.count(state, 1)
	t.addPendingBytes(-size)
}
