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
	if tx.full {
		tx.refused++
		return false
	}
	p := &progress{Progress: Progress{State: Waiting}, lane: tx.laneOf(&d)}
	seq := tx.keep(&d, id, p)
	if seq == 0 {
		return false
	}
	if p.inLane() {
		tx.queueUp(seq, p)
	}
	tx.await(d.Target, seq, p)
	return true
}

// keep writes a delivery under a seq of its own, 0 where it can't.
func (tx *Tx) keep(d *Delivery, id hash, p *progress) (seq uint64) {
	seq, err := tx.bucket(bucketDeliveries).NextSequence()
	if err != nil {
		tx.fail(err)
		return 0
	}
	record := d.encode()
	tx.put(bucketDeliveries, uint64Key(seq), record)
	tx.put(bucketIDs, id[:], uint64Key(seq))
	t := tx.target(d.Target)
	p.target = t.number
	t.count(Waiting, 1)
	t.weigh(len(record))
	tx.grown += len(record)
	return seq
}

// await writes the progress of a pending delivery, which the target's queue hears of if it may be sent.
func (tx *Tx) await(target string, seq uint64, p *progress) {
	tx.putProgress(seq, p)
	if p.State == Waiting {
		tx.setReady(seq, p)
		tx.woken[target] = struct{}{}
	}
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

// record is what is kept of a delivery but its body, and how many bytes that is with it.
func (tx *Tx) record(seq uint64) (d *Delivery, size int) {
	record := tx.get(bucketDeliveries, uint64Key(seq))
	d, err := decodeDelivery(seq, record, false)
	if err != nil {
		tx.fail(err)
	}
	return d, len(record)
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
