package rules

import "time"

// Answer is the last answer to an item.
type Answer struct {
	// Bytes is nil if the answer is unknown, and then Recorded is zero.
	Bytes    []byte
	Recorded time.Time
	// IsUnknown marks an answer that could not be read, or was too large: the one
	// before it is no longer the participant's.
	IsUnknown bool `json:",omitempty"`
	// IsOfForm reports whether it was one of a form, which may have items that no page
	// lists.
	IsOfForm bool `json:",omitempty"`
}

// answered stores the last answer to an item, or that it is unknown.
func (j *Journey) answered(o *Observation) {
	if !o.Order.IsZero() && j.answer(o.Item).Recorded.After(o.At) {
		return
	}
	j.bound(o)
	answer := Answer{Bytes: o.Answer, Recorded: o.At}
	if o.IsUnknown {
		answer = Answer{IsUnknown: true}
	}
	if encoded := j.putAnswer(o.Item, answer); encoded != nil {
		j.addLate(o.Ticket, o.Item, encoded)
	}
}

// putAnswer stores the last answer to an item, and returns it as it is stored; nil
// past a bound.
func (j *Journey) putAnswer(item string, answer Answer) []byte {
	name := partAnswer + item
	before := j.store.Part(j.key, name)
	grows := len(answer.Bytes) + len(item) + recordOverhead
	if before == nil {
		if j.KnownAnswers >= maxAnswers || !j.hasRoomFor(len(item)+recordOverhead) {
			j.refuse(RefusedRecord)
			return nil
		}
		j.KnownAnswers++
	} else {
		grows = len(answer.Bytes) - len(decodeAnswer(before).Bytes)
	}
	if grows > 0 && !j.hasRoomFor(grows) {
		j.refused = append(j.refused, RefusedRecord)
		grows -= len(answer.Bytes)
		answer = Answer{IsUnknown: true}
	}
	j.Bytes += grows
	encoded := answer.encode()
	j.store.PutPart(j.key, name, encoded)
	return encoded
}

// bound makes an answer that is too large an unknown one.
func (j *Journey) bound(o *Observation) {
	if len(o.Answer) > j.limits.answer() {
		o.Answer, o.IsUnknown = nil, true
		j.refuse(RefusedAnswer)
	}
}

// answer returns the last answer to an item, the zero Answer without one.
func (j *Journey) answer(item string) Answer {
	return decodeAnswer(j.store.Part(j.key, partAnswer+item))
}
