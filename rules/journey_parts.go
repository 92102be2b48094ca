package rules

import (
	"encoding/binary"
	"time"
)

// The parts of a journey are named by their kind and by what they are about.
const (
	partPage    = "p" // page id → pageState
	partAnswer  = "a" // item → Answer
	partWaiting = "w" // number → Observation
	partEvent   = "e" // place → Event
	partLate    = "l" // place, item → Answer that an event waited for
)

// numbered returns the name of a part with a number. Names are in the order of the numbers.
func numbered(kind string, n int) string {
	return string(binary.BigEndian.AppendUint32([]byte(kind), uint32(n)))
}

// An answer is stored as a version, its time and its bytes.
const (
	answerUnknown = iota
	answerKnown
	answerHeader = 1 + 8 + 4
)

func (a Answer) encode() []byte {
	if a.IsUnknown {
		return []byte{answerUnknown}
	}
	e := append(make([]byte, 0, answerHeader+len(a.Bytes)), answerKnown)
	e = binary.BigEndian.AppendUint64(e, uint64(a.Recorded.Unix()))
	e = binary.BigEndian.AppendUint32(e, uint32(a.Recorded.Nanosecond()))
	return append(e, a.Bytes...)
}

// decodeAnswer is the inverse of encode. An answer that is damaged is unknown; the
// bytes are those of the part.
func decodeAnswer(part []byte) Answer {
	if part == nil {
		return Answer{}
	}
	if len(part) < answerHeader || part[0] != answerKnown {
		return Answer{IsUnknown: true}
	}
	seconds, nanoseconds := binary.BigEndian.Uint64(part[1:]), binary.BigEndian.Uint32(part[9:])
	return Answer{Bytes: part[answerHeader:], Recorded: time.Unix(int64(seconds), int64(nanoseconds)).UTC()}
}
