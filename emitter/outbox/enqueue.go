package outbox

import (
	"encoding/binary"
	"errors"
)

// The reasons why a change is dropped.
var (
	errNoKey    = errors.New("cannot keep a journey without a key")
	errNoTarget = errors.New("cannot keep a delivery without a target")
	errNoID     = errors.New("cannot keep a delivery without an id")
)

// Enqueue keeps a delivery until it is delivered or dead, and Retention longer.
// It is behind the pending ones of its lane. An ID that is here already is left
// as it is, whatever its state, and false is returned.
func (tx *Tx) Enqueue(d Delivery) (added bool) {
	if d.ID == "" {
		tx.fail(errNoID)
		return false
	}
	id := hashOf(d.ID)
	if tx.has(bucketIDs, id[:]) {
		return false
	}
	seq, err := tx.bucket(bucketDeliveries).NextSequence()
	if err != nil {
		tx.fail(err)
		return false
	}
	t := tx.target(d.Target)
	p := &progress{Progress: Progress{State: Waiting}, target: t.number}
	if d.Lane != "" {
		p.lane = hashOf(d.Lane)
		tx.queueUp(seq, p)
	}
	tx.put(bucketDeliveries, uint64Key(seq), d.encode())
	tx.put(bucketIDs, id[:], uint64Key(seq))
	tx.putProgress(seq, p)
	t.Pending, t.dirty = t.Pending+1, true
	if p.State == Waiting {
		tx.setReady(seq, p)
		tx.woken[d.Target] = struct{}{}
	}
	return true
}

// queueUp puts a new delivery at the end of its lane.
func (tx *Tx) queueUp(seq uint64, p *progress) {
	key := laneKey(p.target, p.lane)
	if tail := tx.get(bucketLanes, key); len(tail) == 8 {
		tailSeq := binary.BigEndian.Uint64(tail)
		if last := tx.progress(tailSeq); last != nil {
			last.next = seq
			tx.putProgress(tailSeq, last)
			p.State = Behind
		}
	}
	tx.put(bucketLanes, key, uint64Key(seq))
}

// Redeliver makes a delivered or dead delivery wait again, with the same id and
// bytes, all its attempts before it, and outside the order of its lane. It
// returns false when there is none.
func (tx *Tx) Redeliver(seq uint64) bool {
	p := tx.progress(seq)
	if p == nil || p.pending() {
		return false
	}
	name := tx.targetOf(seq)
	t := tx.target(name)
	tx.delete(bucketDone, doneKey(p.target, p.State, p.Finished, seq))
	t.count(p.State, -1)
	p.Progress, p.lane, p.told = Progress{State: Waiting}, hash{}, false
	tx.putProgress(seq, p)
	tx.setReady(seq, p)
	t.Pending++
	tx.woken[name] = struct{}{}
	return true
}

// targetOf is the name of a delivery's target.
func (tx *Tx) targetOf(seq uint64) string {
	d, err := decodeDelivery(seq, tx.get(bucketDeliveries, uint64Key(seq)), false)
	if err != nil {
		tx.fail(err)
	}
	return d.Target
}

// count changes the number of deliveries in a state.
func (t *target) count(state State, by int) {
	t.dirty = true
	switch state {
	case Dead:
		t.Dead += uint64(by)
	case Delivered:
		t.Delivered += uint64(by)
	default:
		t.Pending += uint64(by)
	}
}
