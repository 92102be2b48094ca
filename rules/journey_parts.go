package rules

import "encoding/binary"

// The parts of a journey are named by their kind and by what they are about.
const (
	partPage    = "p" // page id → pageState
	partAnswer  = "a" // item → Answer
	partWaiting = "w" // number → Observation
	partEvent   = "e" // place → Event
	partLate    = "l" // place, item → Answer that an event waited for
	// partDefinition is for definitions that the store does not share among participants.
	partDefinition = "d" // name → Page
)

// numbered returns the name of a part with a number. Names are in the order of the numbers.
func numbered(kind string, n int) string {
	return string(binary.BigEndian.AppendUint32([]byte(kind), uint32(n)))
}

// What the first number of an answer says.
const (
	unknownAnswer = iota
	knownAnswer
	formAnswer // known, and of a form
)

// An answer is stored as what is known of it, its time and its bytes.
func (a Answer) encode() []byte {
	e := make(recordEncoder, 0, 16+len(a.Bytes))
	switch {
	case a.IsUnknown:
		e.int(unknownAnswer)
	case a.IsOfForm:
		e.int(formAnswer)
	default:
		e.int(knownAnswer)
	}
	if !a.IsUnknown {
		e.time(a.Recorded)
		e = append(e, a.Bytes...)
	}
	return e
}

// decodeAnswer is the inverse of encode, and returns the zero Answer for none. An
// answer that is damaged is unknown; the bytes are those of the part.
func decodeAnswer(part []byte) Answer {
	if part == nil {
		return Answer{}
	}
	d := recordDecoder{rest: part}
	kind, at := d.int(), d.time()
	if kind == unknownAnswer || d.isDamaged {
		return Answer{IsUnknown: true}
	}
	return Answer{Bytes: d.rest, Recorded: at, IsOfForm: kind == formAnswer}
}
