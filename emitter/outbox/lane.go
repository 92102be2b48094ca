package outbox

import "encoding/binary"

// A lane is a linked list of a target's pending deliveries: the lanes bucket has
// its last one, and each progress record the next one. Only the head may be sent.
//
//	head (Waiting) ──next──► (Behind) ──next──► (Behind) ◄── lanes

// ownerSize is how many bytes of a lane's hash identify its owner; the rest
// identifies the lane. Both are salted, so that nobody can choose a name that
// collides with another's.
const ownerSize = hashSize / 2

// laneOf returns the hash of a delivery's lane, zero without one.
func (tx *Tx) laneOf(d *Delivery) (lane hash) {
	if d.Lane == "" {
		return lane
	}
	owner, key := hashOwner(tx.salt, d.Owner), hashOf(tx.salt, "lane", d.Lane)
	copy(lane[:ownerSize], owner[:])
	copy(lane[ownerSize:], key[:])
	return lane
}

// participant returns the part of a lane's hash that identifies its owner.
func (lane hash) participant() uint64 { return binary.BigEndian.Uint64(lane[:ownerSize]) }

func hashOwner(salt, owner string) hash { return hashOf(salt, "owner", owner) }

func laneKey(target uint32, lane hash) []byte {
	return append(binary.BigEndian.AppendUint32(nil, target), lane[:]...)
}

// appendToLane puts a new delivery at the end of its lane.
func (tx *Tx) appendToLane(seq uint64, p *progressRecord) {
	key := laneKey(p.target, p.lane)
	if record := tx.get(bucketLanes, key); len(record) == 8 {
		lastSeq := lastUint64(record)
		if last := tx.progress(lastSeq); last != nil {
			last.next = seq
			tx.putProgress(lastSeq, last)
			p.State = Behind
		}
	}
	tx.put(bucketLanes, key, uint64Key(seq))
}

// promoteNext makes the delivery after p the head of their lane, or deletes the
// lane if there is none. Discarded ones in between are deleted for good.
func (tx *Tx) promoteNext(p *progressRecord) (promoted bool) {
	if !p.isOrdered() {
		return false
	}
	for seq := p.next; seq != 0; {
		next := tx.progress(seq)
		switch {
		case next == nil:
			return false
		case next.discarded:
			tx.delete(bucketProgress, uint64Key(seq))
			seq = next.next
		default:
			next.State = Waiting
			tx.putProgress(seq, next)
			tx.setReady(seq, next)
			return true
		}
	}
	tx.delete(bucketLanes, laneKey(p.target, p.lane))
	return false
}
