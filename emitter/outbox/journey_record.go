package outbox

import (
	"encoding/binary"
	"time"
)

// A journey is in journey_age once, in the order in which journeys of its group
// are dropped:
//
//	journeys     key → last exchange, group, indexed, size, head
//	journey_age  group, indexed, key → nothing
//
// indexed is the time of an exchange, though not always of the last one: a journey that goes on stays where it is, which saves a write, and moves
// when its turn comes.

// Mark is what the store has to know of a journey.
type Mark struct {
	// LastExchange is the time from which Retention.Journeys counts.
	LastExchange time.Time
	// Size is about how many bytes the journey's head and parts take.
	Size int
	// HasEvents reports whether the journey has led to an event.
	HasEvents bool
}

// journeyGroup is a kind of journeys of which none is worth more than another. Each
// has its share of what journeys can take: who floods one pushes nobody out of
// the others.
type journeyGroup byte

const (
	// groupCount is twice the number of weights.
	groupCount = 8
	// lightest is how large journeys of the first weight are. Those of each other
	// weight are up to four times as large as those of the one before.
	lightest = 4 << 10
)

func groupOf(m Mark) (g journeyGroup) {
	for limit := lightest; m.Size > limit && g < groupCount-2; limit *= 4 {
		g += 2
	}
	if m.HasEvents {
		g++
	}
	return g
}

// hasEvents reports whether journeys of the group have led to events.
func (g journeyGroup) hasEvents() bool { return g%2 == 1 }

// ageKey is a key of journey_age. The first byte of one of format 1 is 0.
type ageKey []byte

const ageKeySize = 1 + 8

func agePrefix(g journeyGroup) []byte { return []byte{byte(g) + 1} }

func newAgeKey(key string, r journeyRecord) ageKey {
	prefix := binary.BigEndian.AppendUint64(agePrefix(r.group), uint64(nanos(r.indexed)))
	return append(prefix, key...)
}

func (k ageKey) journey() string    { return string(k[ageKeySize:]) }
func (k ageKey) indexed() time.Time { return fromNanos(int64(binary.BigEndian.Uint64(k[1:]))) }

// journeyRecord is the head of a journey, and where it is in journey_age.
type journeyRecord struct {
	last    time.Time
	group   journeyGroup
	indexed time.Time
	size    int
	head    []byte
}

func (r journeyRecord) encode() []byte {
	e := make([]byte, 0, 17+binary.MaxVarintLen64+len(r.head))
	e = binary.BigEndian.AppendUint64(e, uint64(nanos(r.last)))
	e = append(e, byte(r.group))
	e = binary.BigEndian.AppendUint64(e, uint64(nanos(r.indexed)))
	e = binary.AppendUvarint(e, uint64(r.size))
	return append(e, r.head...)
}

// decodeJourney is the inverse of encode. It reads records of format 1 too, whose
// heads are JSON. ok is false if there is no record, or one that is damaged.
func decodeJourney(record []byte) (r journeyRecord, ok bool) {
	if len(record) < 9 {
		return journeyRecord{}, false
	}
	r.last = fromNanos(int64(binary.BigEndian.Uint64(record)))
	if isFormat1 := record[8] == '{'; isFormat1 {
		r.size, r.head = len(record), record[8:]
		r.group, r.indexed = groupOf(Mark{Size: r.size, HasEvents: true}), r.last
		return r, true
	}
	r.group = journeyGroup(record[8])
	size, n := binary.Uvarint(record[min(17, len(record)):])
	if n <= 0 || r.group >= groupCount {
		return journeyRecord{}, false
	}
	r.indexed = fromNanos(int64(binary.BigEndian.Uint64(record[9:])))
	r.size, r.head = int(size), record[17+n:]
	return r, true
}
