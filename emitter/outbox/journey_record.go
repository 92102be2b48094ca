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
// when its turn comes. For its silence it is there once more; see silence.go.

// Mark is what the store has to know of a journey.
type Mark struct {
	// LastExchange is the time from which Retention.Journeys counts.
	LastExchange time.Time
	// Size is about how many bytes the journey's head and parts take.
	Size int
	// HasEvents reports whether the journey has led to an event.
	HasEvents bool
	// AwaitsSilence reports whether Tx.Silent is to find the journey.
	AwaitsSilence bool
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
	// heard is the minute of the last exchange, and filed the one under which the
	// journey awaits its silence, 0 if it does not.
	heard, filed minute
	head         []byte
}

// hasMinutes is added to the group of a record that has heard and filed. Those of
// earlier releases lack them.
const hasMinutes = 0x80

func (r journeyRecord) encode() []byte {
	e := make([]byte, 0, 17+3*binary.MaxVarintLen64+len(r.head))
	e = binary.BigEndian.AppendUint64(e, uint64(nanos(r.last)))
	e = append(e, byte(r.group)|hasMinutes)
	e = binary.BigEndian.AppendUint64(e, uint64(nanos(r.indexed)))
	for _, number := range []uint64{uint64(r.size), uint64(r.heard), uint64(r.filed)} {
		e = binary.AppendUvarint(e, number)
	}
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
	r.group = journeyGroup(record[8] &^ hasMinutes)
	if len(record) < 17 || r.group >= groupCount {
		return journeyRecord{}, false
	}
	r.indexed = fromNanos(int64(binary.BigEndian.Uint64(record[9:])))
	in := decoder{rest: record[17:]}
	r.size = int(in.uint())
	if record[8]&hasMinutes != 0 {
		r.heard, r.filed = minute(in.uint()), minute(in.uint())
	}
	r.head = in.rest
	return r, in.err == nil
}
