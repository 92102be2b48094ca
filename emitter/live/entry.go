package live

import "time"

// Kind is what an Entry reports.
type Kind string

// The kinds of entries.
const (
	// Event: an event was recorded, and is on disk.
	Event Kind = "event"
	// Attempt: an attempt of a delivery ended.
	Attempt Kind = "attempt"
)

// Outcomes are what can become of a delivery after an attempt; free is one that did
// not use up an attempt.
var Outcomes = []string{delivered, "retried", "dead", "free"}

const delivered = "delivered"

// Entry is something that happened. The fields from Target on are those of an attempt.
type Entry struct {
	At   time.Time `json:"at"`
	Kind Kind      `json:"kind"`
	// Event is the name of the event, and Survey that of the survey instance.
	Event  string `json:"event"`
	Survey string `json:"survey"`
	// Targets is how many targets get an event.
	Targets int `json:"targets,omitempty"`

	Target   string `json:"target,omitempty"`
	Delivery string `json:"delivery,omitempty"`
	// Attempt counts the attempts of the delivery, from 1.
	Attempt int `json:"attempt,omitempty"`
	// Outcome is what became of the delivery, one of Outcomes.
	Outcome string `json:"outcome,omitempty"`
	// Status is the target's status code, 0 without a response.
	Status int `json:"status,omitempty"`
	// Seconds is how long the attempt took.
	Seconds float64 `json:"seconds,omitempty"`
	// Reason says why it failed, empty for a success.
	Reason string `json:"reason,omitempty"`
}

// Filter selects entries. Empty fields select all; one that an entry does not have
// selects none of its kind.
type Filter struct{ Target, Survey, Event, Outcome string }

// Matches reports whether the filter selects e.
func (f Filter) Matches(e *Entry) bool {
	return matches(f.Target, e.Target) && matches(f.Survey, e.Survey) && matches(f.Event, e.Event) && matches(f.Outcome, e.Outcome)
}

func matches(want, has string) bool { return want == "" || want == has }
