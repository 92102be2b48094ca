package rules

import (
	"encoding/json"
	"fmt"
	"time"
)

// maxHead is the size of the largest journey of an earlier release that is read:
// more than its bounds allowed but for observations that wait for a past.
const maxHead = 32 << 20

// loadJourney returns the journey that a store has under key, or a new one. A
// damaged journey begins anew, and is partial; the error contains nothing of it.
func loadJourney(store Journeys, key Key, limits Limits) (*Journey, error) {
	head := store.Head(key)
	journey := &Journey{key: key, store: store, limits: limits}
	if head == nil {
		return journey, nil
	}
	stored := storedJourney{journeyFields: (*journeyFields)(journey)}
	if len(head) > maxHead || json.Unmarshal(head, &stored) != nil {
		store.Drop(key)
		damaged := &Journey{key: key, store: store, limits: limits, Partial: true}
		return damaged, fmt.Errorf("cannot decode a journey of %d bytes: it is damaged", len(head))
	}
	if stored.isWhole() {
		stored.split(journey)
	}
	return journey, nil
}

// save stores the head of the journey; its parts are stored already. at is the
// time of its last exchange.
func (j *Journey) save(at time.Time) error {
	head, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("cannot encode a journey: %w", err)
	}
	j.store.PutHead(j.key, head, Mark{At: at, IsUnfinished: j.Waits.Count+len(j.Held) > 0, HasEvents: j.Place > 0})
	return nil
}

// storedJourney is a journey as it is stored: the head or, by earlier releases,
// all of it in one record.
type storedJourney struct {
	*journeyFields
	Pages     []*wholePage
	Answers   map[string]Answer
	Waiting   []*Observation
	Unsettled []wholeEvent
	// Definitions are the names of the pages' definitions in the store, by page.
	Definitions map[string]string `json:"definitions"`
}

// journeyFields is Journey without its methods.
type journeyFields Journey

// wholePage is a page in a whole journey.
type wholePage struct {
	ID       string
	Position int
	Loaded   time.Time
	Left     bool
}

// wholeEvent is an event that waits for answers in a whole journey.
type wholeEvent struct {
	Event   *Event
	Tickets []uint64
}

// isWhole reports whether an earlier release stored the journey.
func (s *storedJourney) isWhole() bool {
	return len(s.Pages)+len(s.Answers)+len(s.Waiting)+len(s.Unsettled) > 0
}

// split stores the parts of a whole journey. Those past a bound stay.
func (s *storedJourney) split(j *Journey) {
	for _, whole := range s.Pages {
		page := &pageState{id: whole.ID, Definition: s.Definitions[whole.ID], Position: whole.Position, Loaded: whole.Loaded, Left: whole.Left}
		j.putPage(page)
		j.KnownPages++
		j.Bytes += len(whole.ID) + recordOverhead
		if whole.Position > 0 {
			j.ShownPages++
		}
	}
	for item, answer := range s.Answers {
		j.store.PutPart(j.key, partAnswer+item, answer.encode())
		j.KnownAnswers++
		j.Bytes += len(answer.Bytes) + len(item) + recordOverhead
	}
	for _, o := range s.Waiting {
		j.wait(o)
	}
	for _, u := range s.Unsettled {
		if encoded, err := json.Marshal(u.Event); u.Event != nil && err == nil {
			j.store.PutPart(j.key, numbered(partEvent, u.Event.Place), encoded)
			j.Held = append(j.Held, heldEvent{Place: u.Event.Place, Tickets: u.Tickets, Bytes: len(encoded)})
		}
	}
	j.boundHeld()
}
