package rules

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
)

// heldEvent is an event that waits for answers in flight, and for the events
// before it. Event and late answers are parts of the journey.
type heldEvent struct {
	Place int
	// Tickets are the exchanges that it waits for.
	Tickets []uint64
	// Items are the items of these exchanges, as far as they are known.
	Items map[uint64]string
	// Pending are those of them that it no longer waits for, though they have not ended.
	Pending []string
	// Bytes is the size of its parts.
	Bytes int
	// IsCut reports whether it stopped waiting before all of them had ended.
	IsCut bool
}

// awaits notes the item of an exchange that the event waits for, if it is known.
func (h *heldEvent) awaits(ticket uint64, item string) {
	if item == "" {
		return
	}
	if h.Items == nil {
		h.Items = map[uint64]string{}
	}
	h.Items[ticket] = item
}

// giveUp has the event stop waiting for all but so many answers.
func (h *heldEvent) giveUp(tickets int) {
	for _, ticket := range h.Tickets[tickets:] {
		if item, isKnown := h.Items[ticket]; isKnown {
			h.Pending = append(h.Pending, item)
		}
	}
	h.Tickets, h.IsCut = h.Tickets[:tickets], true
}

// cut is giveUp at a bound.
func (h *heldEvent) cut(tickets int) Refusal {
	h.giveUp(tickets)
	return RefusedSettle
}

// hold keeps the event of a navigation until the answers have come that were in
// flight.
func (j *Journey) hold(event *Event, o *Observation) {
	tickets := o.InFlight
	if len(tickets)+len(j.Held) == 0 {
		j.ready = append(j.ready, event)
		return
	}
	encoded, err := json.Marshal(event)
	if err != nil { // a year past 9999
		j.ready = append(j.settle(), event)
		return
	}
	j.store.PutPart(j.key, numbered(partEvent, event.Place), encoded)
	held := heldEvent{Place: event.Place, Tickets: slices.Clone(tickets), Bytes: len(encoded)}
	for i, item := range o.InFlightItems {
		held.awaits(tickets[i], item)
		held.Bytes += len(item)
	}
	if len(tickets) > maxTickets {
		j.refused = append(j.refused, held.cut(maxTickets))
	}
	j.Held = append(j.Held, held)
	j.boundHeld()
}

// addLate adds an answer to the events that wait for its exchange.
func (j *Journey) addLate(ticket uint64, item string, answer []byte) {
	for i := range j.Held {
		if h := &j.Held[i]; slices.Contains(h.Tickets, ticket) {
			j.store.PutPart(j.key, numbered(partLate, h.Place)+item, answer)
			h.Bytes += len(answer)
		}
	}
	j.boundHeld()
}

// boundHeld has the oldest events stop waiting until the others are within the bounds.
func (j *Journey) boundHeld() {
	events, bytes, tickets := 0, 0, 0
	for i := range slices.Backward(j.Held) {
		h := &j.Held[i]
		events, bytes, tickets = events+1, bytes+h.Bytes, tickets+len(h.Tickets)
		isPast := events > maxUnsettled || bytes > maxUnsettledBytes || tickets > maxTickets
		if isPast && len(h.Tickets) > 0 {
			j.refused = append(j.refused, h.cut(0))
		}
	}
}

// stopWaiting removes the ticket of an exchange that has ended from the events
// that wait for it.
func (j *Journey) stopWaiting(ticket uint64) {
	for i := range j.Held {
		j.Held[i].Tickets = slices.DeleteFunc(j.Held[i].Tickets, func(t uint64) bool { return t == ticket })
	}
}

// settle returns the events that wait for answers, whatever is still in flight.
func (j *Journey) settle() []*Event { return j.settleUpTo(math.MaxInt) }

// settleUpTo is settle for the events with a place up to one.
func (j *Journey) settleUpTo(place int) []*Event {
	for i := range j.Held {
		if h := &j.Held[i]; len(h.Tickets) > 0 && h.Place <= place {
			h.giveUp(0)
		}
	}
	return j.settled()
}

// settled removes the first events that wait for nothing, and returns them. An
// event never overtakes an earlier one.
func (j *Journey) settled() []*Event {
	ready := j.ready
	j.ready = nil
	for len(j.Held) > 0 && len(j.Held[0].Tickets) == 0 {
		if event := j.takeHeld(j.Held[0]); event != nil {
			ready = append(ready, event)
		}
		j.Held = j.Held[1:]
	}
	return ready
}

// takeHeld removes the parts of an event and returns it with its late answers;
// nil if it is damaged.
func (j *Journey) takeHeld(held heldEvent) *Event {
	name := numbered(partEvent, held.Place)
	event := &Event{}
	err := json.Unmarshal(j.store.Part(j.key, name), event)
	j.store.PutPart(j.key, name, nil)
	event.Partial = event.Partial || held.IsCut
	late := numbered(partLate, held.Place)
	for _, part := range j.store.Parts(j.key, late) {
		item, answer := strings.TrimPrefix(part, late), decodeAnswer(j.store.Part(j.key, part))
		if !event.answer(item, answer) && answer.IsOfForm {
			event.Responses = append(event.Responses, unlistedResponse(j.surveyItem(item), answer))
		}
		j.store.PutPart(j.key, part, nil)
	}
	if err != nil {
		j.Partial = true
		return nil
	}
	event.pend(held.Pending)
	return event
}
