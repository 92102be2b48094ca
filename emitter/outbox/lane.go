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

// laneRecord is the record of a lane. Records of early releases have no numbers.
type laneRecord struct {
	// last is the seq of its last pending delivery.
	last uint64
	// deliveries is the number of its pending deliveries, bytes about how much of the
	// file they take.
	deliveries, bytes uint64
}

// readLane reads the lane of a delivery, a zero one if there is none.
func (tx *Tx) readLane(p *progressRecord) (l laneRecord) {
	if !p.isOrdered() {
		return l
	}
	record := tx.get(bucketLanes, laneKey(p.target, p.lane))
	if len(record) < 8 {
		return l
	}
	l.last = binary.BigEndian.Uint64(record)
	if in := (decoder{rest: record[8:]}); len(in.rest) > 0 {
		l.deliveries, l.bytes = in.uint(), in.uint()
	}
	return l
}

func (tx *Tx) putLane(p *progressRecord, l laneRecord) {
	record := encoder(uint64Key(l.last))
	record.uint(l.deliveries)
	record.uint(l.bytes)
	tx.put(bucketLanes, laneKey(p.target, p.lane), record)
}

// appendToLane puts a new delivery at the end of its lane.
func (tx *Tx) appendToLane(seq uint64, p *progressRecord, l laneRecord, bytes int64) {
	if last := tx.progress(l.last); last != nil {
		last.next = seq
		tx.putProgress(l.last, last)
		p.State = Behind
	}
	tx.putLane(p, laneRecord{last: seq, deliveries: l.deliveries + 1, bytes: l.bytes + uint64(bytes)})
}

// leaveLane notes that a delivery of a lane which stays is not pending any more.
func (tx *Tx) leaveLane(seq uint64, p *progressRecord) {
	l, bytes := tx.readLane(p), uint64(deliveryFootprint(tx.get(bucketDeliveries, uint64Key(seq))))
	if isOfEarlyRelease := l.deliveries == 0; isOfEarlyRelease {
		return
	}
	l.deliveries, l.bytes = l.deliveries-1, l.bytes-min(bytes, l.bytes)
	tx.putLane(p, l)
}

// promoteNext makes the delivery after seq the head of their lane, or deletes the
// lane if there is none. Discarded ones in between are deleted for good. The record
// of seq must still be there.
func (tx *Tx) promoteNext(seq uint64, p *progressRecord) (promoted bool) {
	if !p.isOrdered() {
		return false
	}
	for following := p.next; following != 0; {
		next := tx.progress(following)
		switch {
		case next == nil: // its record is damaged, or gone
			tx.startAudit = true
			following = 0
		case next.discarded:
			tx.delete(bucketProgress, uint64Key(following))
			following = next.next
		default:
			next.State = Waiting
			tx.putProgress(following, next)
			tx.setReady(following, next)
			tx.leaveLane(seq, p)
			return true
		}
	}
	tx.delete(bucketLanes, laneKey(p.target, p.lane))
	return false
}
