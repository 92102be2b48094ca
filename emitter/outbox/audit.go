package outbox

import "slices"

// auditAtOnce is how many deliveries an audit looks at with one commit.
const auditAtOnce = 256

// auditPhase is what an audit does.
//
//	idle ──► following ──► restoring ─┬───────────────► idle
//	                                  └──► sweeping ──►
type auditPhase int

const (
	auditIdle auditPhase = iota
	// auditFollowing: it learns which deliveries follow another one in their lane.
	auditFollowing
	// auditRestoring: it puts what the indexes lack back.
	auditRestoring
	// auditSweeping: it deletes pieces whose records are gone. Only a thorough one does.
	auditSweeping
)

// String returns the phase's name.
func (p auditPhase) String() string {
	switch p {
	case auditIdle:
		return "idle"
	case auditFollowing:
		return "following"
	case auditRestoring:
		return "restoring"
	case auditSweeping:
		return "sweeping"
	}
	return "unknown"
}

// audit puts the indexes of deliveries in order, some deliveries with each commit.
// There is one after each start, since an index that lacks something does not show
// it, and one whenever a record is found damaged. Deliveries that come later need
// none. Only the writer uses it.
type audit struct {
	phase auditPhase
	// isThorough reports that the records of deliveries are read too.
	isThorough bool
	// after is the last delivery that it has looked at, until the last one to look at.
	after, until uint64
	// followers are the deliveries that a pending one leads to, broken those of each
	// lane that lead to one that is gone, oldest first.
	followers map[uint64]struct{}
	broken    map[hash][]uint64
	// piece is the first piece that sweeping has not looked at.
	piece []byte
}

func (a *audit) isRunning() bool { return a.phase != auditIdle }

// newAudit returns an audit of all deliveries that there are.
func newAudit(tx *Tx, isThorough bool) audit {
	return audit{
		phase: auditFollowing, isThorough: isThorough, until: tx.view.sequence(bucketDeliveries),
		followers: map[uint64]struct{}{}, broken: map[hash][]uint64{},
	}
}

// step does what one commit may do.
func (a *audit) step(tx *Tx) {
	switch a.phase {
	case auditIdle:
		return
	case auditSweeping:
		a.sweep(tx)
		return
	case auditFollowing, auditRestoring:
	}
	last, n := a.after, 0
	var records []*progressRecord
	var seqs []uint64
	for key, value := range tx.view.ascend(bucketProgress, nil, uint64Key(a.after+1)) {
		if n++; n > auditAtOnce || lastUint64(key) > a.until {
			break
		}
		last = lastUint64(key)
		if p, err := decodeProgress(value); err == nil {
			records, seqs = append(records, p), append(seqs, last)
		}
	}
	for i, p := range records {
		switch {
		case a.phase == auditRestoring:
			a.restore(tx, seqs[i], p)
		case p.next != 0 && (p.isPending() || p.discarded):
			if a.followers[p.next] = struct{}{}; tx.progress(p.next) == nil {
				a.broken[p.lane] = append(a.broken[p.lane], seqs[i])
			}
		}
	}
	if a.after = last; n > auditAtOnce {
		return
	}
	a.after = 0
	if a.phase++; a.phase == auditSweeping && !a.isThorough {
		*a = audit{}
	}
}

// sweep deletes some pieces whose records are gone.
func (a *audit) sweep(tx *Tx) {
	stray, next := tx.view.strayPieces(a.piece, auditAtOnce)
	for _, key := range stray {
		tx.changes.set(newRecord(strays, key, nil))
	}
	if a.piece = next; next == nil {
		tx.mustRecount = true
		*a = audit{}
	}
}

// raiseSequences sees to it that the next numbers are higher than all that are in
// use, since a damaged journal may have lost the last ones.
func (tx *Tx) raiseSequences() {
	var delivery, target uint64
	for key := range tx.view.descend(bucketDeliveries, nil, []byte{0xff}) {
		delivery = lastUint64(key)
		break
	}
	for _, t := range tx.allTargets() {
		target = max(target, uint64(t.number))
	}
	for b, used := range map[bucket]uint64{bucketDeliveries: delivery, bucketTargets: target} {
		if tx.view.sequence(b) < used {
			tx.changes.set(newRecord(sequences, []byte{byte(b)}, uint64Key(used)))
		}
	}
}

// restore puts a delivery into each index that it belongs to.
func (a *audit) restore(tx *Tx, seq uint64, p *progressRecord) {
	if p.discarded {
		return
	}
	if a.isThorough {
		d, ok := tx.delivery(seq)
		if !ok {
			tx.note(bucketProgress, uint64Key(seq), nil)
			return
		}
		if tx.seqOf(d.ID, d.Target) != seq {
			tx.restoreID(seq, d)
		}
	}
	if !p.isPending() {
		tx.restoreKey(bucketDone, doneKey(p.target, p.State, p.Finished, seq))
		return
	}
	if _, isFollower := a.followers[seq]; p.State == Behind && !isFollower {
		a.reconnect(tx, seq, p)
	}
	if p.State == Waiting {
		isIn := tx.has(bucketReady, freshKey(p.target, seq))
		if !p.Due.IsZero() {
			isIn = tx.has(bucketReady, retryKey(p.target, p.Due, seq))
		}
		if !isIn {
			tx.setReady(seq, p)
			tx.wokeAll, tx.restored = true, tx.restored+1
		}
	}
	if p.isOrdered() {
		tx.restoreLane(seq, p)
	}
}

// reconnect has a delivery follow the last one before it in its lane, or come first
// if none is left.
func (a *audit) reconnect(tx *Tx, seq uint64, p *progressRecord) {
	for _, before := range slices.Backward(a.broken[p.lane]) {
		last := tx.progress(before)
		if isBefore := last != nil && before < seq && last.target == p.target && (last.isPending() || last.discarded); isBefore {
			last.next = seq
			tx.putProgress(before, last)
			return
		}
	}
	p.State = Waiting
	tx.putProgress(seq, p)
}

// restoreID puts the id of a delivery back. A copy for another target is found by both.
func (tx *Tx) restoreID(seq uint64, d *Delivery) {
	for _, key := range []hash{hashOf(d.ID), copyID(d.ID, d.Target)} {
		if !tx.has(bucketIDs, key[:]) {
			tx.put(bucketIDs, key[:], uint64Key(seq))
			return
		}
	}
}

// restoreLane has the lane end with this delivery, if it ends earlier.
func (tx *Tx) restoreLane(seq uint64, p *progressRecord) {
	if l := tx.readLane(p); l.last < seq {
		tx.putLane(p, laneRecord{last: seq, deliveries: l.deliveries, bytes: l.bytes})
	}
}

func (tx *Tx) restoreKey(b bucket, key []byte) {
	if !tx.has(b, key) {
		tx.put(b, key, nil)
	}
}
