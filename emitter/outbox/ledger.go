package outbox

import "encoding/binary"

// ledger is about how many bytes of the file each share takes. It is a record of
// the file and changes with what it counts, so that it is right after any crash.
type ledger struct {
	bytes [shareCount]int64
	// groups is about how many of those of journeys each group takes.
	groups [groupCount]int64
	// targets is the number of targets that have deliveries.
	targets int64
}

// keyLedger has a number, so that a ledger which counts in another way is not read.
var keyLedger = []byte("ledger 3")

func (l ledger) total() (bytes int64) {
	for _, n := range l.bytes {
		bytes += n
	}
	return bytes
}

func (l ledger) encode() []byte {
	var e encoder
	for _, n := range l.bytes {
		e.uint(uint64(n))
	}
	for _, n := range l.groups {
		e.uint(uint64(n))
	}
	e.uint(uint64(l.targets))
	return e
}

func decodeLedger(record []byte) (l ledger, err error) {
	in := decoder{rest: record}
	for s := range l.bytes {
		l.bytes[s] = int64(in.uint())
	}
	for g := range l.groups {
		l.groups[g] = int64(in.uint())
	}
	l.targets = int64(in.uint())
	return l, in.err
}

// fullestGroup returns the group of journeys that takes most, where those without
// events count twice. ok is false if none takes anything.
func (l *ledger) fullestGroup() (fullest journeyGroup, ok bool) {
	var most int64
	for g := range journeyGroup(groupCount) {
		takes := l.groups[g]
		if !g.hasEvents() {
			takes *= 2
		}
		if takes > most {
			fullest, most = g, takes
		}
	}
	return fullest, most > 0
}

// readLedger reads the ledger. A file without one, of an early release, is counted.
func (tx *Tx) readLedger() {
	l, err := decodeLedger(tx.get(bucketMeta, keyLedger))
	tx.ledger, tx.before = l, l
	if err != nil {
		tx.recount()
		tx.before = tx.ledger
		tx.put(bucketMeta, keyLedger, tx.ledger.encode())
	}
}

// putLedger writes the ledger if it has changed.
func (tx *Tx) putLedger() {
	if tx.ledger != tx.before {
		tx.put(bucketMeta, keyLedger, tx.ledger.encode())
	}
}

// tally changes the number of a target's deliveries in a state, and the bytes that
// they take.
func (tx *Tx) tally(t *targetRecord, state State, deliveries int, bytes int64) {
	had := t.kept() > 0
	t.count(state, deliveries)
	held := t.bytesOf(state)
	bytes = max(bytes, -int64(*held)) // a damaged record may have been counted otherwise
	*held += uint64(bytes)
	tx.ledger.bytes[shareOf(state)] += bytes
	switch has := t.kept() > 0; {
	case has && !had:
		tx.ledger.targets++
	case had && !has:
		tx.ledger.targets--
	}
}

// weigh notes that a record is about to be put, or deleted if size is negative.
// Those of deliveries are counted by tally.
func (tx *Tx) weigh(b bucket, key []byte, size int) {
	s, ok := shareOfBucket(b)
	if !ok {
		return
	}
	old := tx.get(b, key)
	if old != nil {
		tx.ledger.bytes[s] -= footprint(len(key) + len(old))
	}
	if size >= 0 {
		tx.ledger.bytes[s] += footprint(len(key) + size)
		if old == nil {
			tx.added++
		}
	}
}

// shareOfBucket returns the share that the records of a bucket count for.
func shareOfBucket(b bucket) (s share, ok bool) {
	switch b {
	case bucketJourneys, bucketJourneyParts, bucketJourneyAge, bucketUnsettled:
		return shareJourneys, true
	case bucketPages, bucketPageUse:
		return sharePages, true
	case bucketMeta, bucketTargets, bucketDeliveries, bucketIDs, bucketProgress, bucketFailures, bucketLanes, bucketReady, bucketDone, bucketDamaged,
		bucketSurveys, bucketSurveyPages, bucketSurveyCounts, bucketCount:
	}
	return 0, false
}

func shareOf(state State) share {
	switch state {
	case Dead:
		return shareDead
	case Delivered:
		return shareDelivered
	case Behind, Waiting:
	}
	return sharePending
}

// recount makes the ledger anew, from all records. What lanes have is not counted
// again: it is known once their pending deliveries have all been new.
func (tx *Tx) recount() {
	tx.ledger = ledger{}
	targets := map[uint32]*targetRecord{}
	for _, name := range tx.targetNames() {
		t := tx.target(name)
		t.PendingBytes, t.deadBytes, t.deliveredBytes, t.dirty = 0, 0, 0, true
		t.Pending, t.Dead, t.Delivered = 0, 0, 0
		targets[t.number] = t
	}
	for key, record := range tx.view.ascend(bucketProgress, nil, nil) {
		p, err := decodeProgress(record)
		if err != nil || p.discarded || targets[p.target] == nil {
			continue
		}
		tx.tally(targets[p.target], p.State, 1, tx.deliveryBytes(binary.BigEndian.Uint64(key)))
	}
	for b := range bucketCount {
		s, ok := shareOfBucket(b)
		if !ok {
			continue
		}
		for key, value := range tx.view.ascend(b, nil, nil) {
			tx.ledger.bytes[s] += footprint(len(key) + len(value))
			if r, ok := decodeJourney(value); ok && b == bucketJourneys {
				tx.ledger.groups[r.group] += int64(r.size)
			}
		}
	}
}

// deliveryBytes returns about how much of the file a delivery takes.
func (tx *Tx) deliveryBytes(seq uint64) int64 {
	key := uint64Key(seq)
	return deliveryFootprint(tx.get(bucketDeliveries, key)) + failureFootprint(tx.get(bucketFailures, key))
}
