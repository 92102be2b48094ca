package rules

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

// Event is what rules fire on and targets receive: one navigation of one participant,
// or that they have started or abandoned the survey. It is fixed when it is made,
// except for answers in flight at a navigation.
type Event struct {
	// Kind is config.Started or config.Abandoned, empty for a navigation.
	Kind config.EventName `json:",omitempty"`
	// Place is the navigation's place in the journey, from 1; otherwise that of the
	// last navigation before the event, 0 if there was none.
	Place int
	// At is the end of the app's response to the exchange, or when a silence was noted.
	At time.Time
	// LastExchange is the participant's last one before a silence, zero for other events.
	LastExchange time.Time `json:",omitzero"`

	Survey      Survey
	Participant Participant
	// From is the page left, or the one that an abandoned survey was left on; zero at
	// the start. Its number and position are 0 if it was never observed.
	From PageRef
	// To is the page reached or, at the start, loaded; nil if the survey is completed
	// or abandoned.
	To *PageRef
	// Outcome is how the survey ended, unless the participant completed it.
	Outcome Outcome `json:",omitempty"`
	// PageCount is the number of pages of the survey, as the app last said.
	PageCount int
	// Recovered marks a navigation that was not observed itself, but followed from
	// the next page shown.
	Recovered bool
	// Partial marks an event of a journey that is not wholly known: Responses may
	// be incomplete and positions wrong.
	Partial bool
	// Responses are those of every page that takes one and was loaded, by page number.
	Responses []Response
	// Traceparent of the participant's request, empty without one.
	Traceparent string
}

// Survey names a survey instance.
type Survey struct {
	ID, Instance string
	// FriendlyID is the app's short name of the instance, empty if it has none.
	FriendlyID string
	// Study is the study through which the participant entered: its friendly id, or
	// else its id; empty without one.
	Study string
}

// Participant is who takes the survey.
type Participant struct {
	ID string
	// Started is when the first page was loaded, zero if unknown.
	Started time.Time
}

// PageRef refers to a page of a journey.
type PageRef struct {
	ID string
	// Number is the page's number in the survey as its author sees it, from 1.
	Number int
	// Position is the page's place in this participant's own order, from 1.
	Position int
	// Name is nil where the app has none, and for a page that was never observed.
	Name *string
}

// Response is what a participant responded on one page.
type Response struct {
	Page PageRef
	// Question is the text of the page's question, nil if it has none.
	Question *string
	// Item is the response item's id. IsFurther reports whether it is not the page's first.
	Item      string
	IsFurther bool `json:",omitempty"`
	// Type is the response item's type, nil where the app has none.
	Type     *string
	Optional bool
	// Options are what could be chosen, as far as the app showed it.
	Options []Option `json:",omitempty"`
	// Left reports whether an earlier navigation left the page after its last load.
	Left bool
	// Answer is the last answer, byte for byte as the participant sent it; nil without one.
	Answer []byte
	// PageLoaded is the last time the page was loaded.
	PageLoaded time.Time
	// Recorded is when the last answer was recorded, zero without one.
	Recorded time.Time
	// Pending reports whether the app had not yet accepted the last answer when the
	// event stopped waiting for it: Answer is nil.
	Pending bool `json:",omitempty"`
	// Redacted marks an answer that the target must not see: Answer is nil.
	Redacted bool `json:"-"`
}

// Outcome is how a survey ended.
type Outcome string

// The outcomes.
const (
	// WasCompleted: the participant reached its end.
	WasCompleted Outcome = "completed"
	// ScreenedOut: the app ended it early, for example because a quota was full.
	ScreenedOut Outcome = "screened_out"
)

// responseState is what became of a response.
type responseState string

// The states of a response.
const (
	// answered: the participant gave an answer.
	answered responseState = "answered"
	// cleared: the participant deleted their answer; apps send {}, and forms an empty text.
	cleared responseState = "cleared"
	// skipped: the participant left the page without an answer.
	skipped responseState = "skipped"
	// pending: the participant gave an answer that the app had not yet accepted.
	pending responseState = "pending"
	// unanswered: the participant has not answered yet.
	unanswered responseState = "unanswered"
)

// IsNavigation reports whether the participant has navigated.
func (e *Event) IsNavigation() bool { return e.Kind == "" }

// Completed reports whether the event is a navigation that completed the survey.
func (e *Event) Completed() bool { return e.IsNavigation() && e.To == nil }

// outcome returns how the survey ended, empty while it goes on.
func (e *Event) outcome() Outcome {
	if !e.Completed() {
		return ""
	}
	return cmp.Or(e.Outcome, WasCompleted)
}

// Name is the most specific name that a rule can fire on.
func (e *Event) Name() config.EventName {
	if e.Completed() {
		return config.Completion
	}
	return cmp.Or(e.Kind, config.PageNavigation)
}

// Occasion is what the event has in common with no other of its journey: the place of
// a navigation, or a time.
func (e *Event) Occasion() string {
	switch e.Kind {
	case config.Started:
		return "started " + strconv.FormatInt(e.At.UnixNano(), 10)
	case config.Abandoned:
		return "abandoned " + strconv.FormatInt(e.LastExchange.UnixNano(), 10)
	default:
		return strconv.Itoa(e.Place)
	}
}

// state returns what became of a response by the time of the event.
func (e *Event) state(r *Response) responseState {
	switch {
	case r.Pending:
		return pending
	case r.Answer != nil && isCleared(r.Answer):
		return cleared
	case r.Answer != nil, r.Redacted:
		return answered
	case r.Left || e.IsNavigation() && r.Page.ID == e.From.ID:
		return skipped
	default:
		return unanswered
	}
}

// answer adds an answer that was in flight at the navigation, if the event lists its item.
func (e *Event) answer(item string, answer Answer) (isListed bool) {
	for i := range e.Responses {
		if r := &e.Responses[i]; r.Item == item {
			r.Answer, r.Recorded = answer.Bytes, answer.Recorded
			e.Partial = e.Partial || answer.IsUnknown
			isListed = true
		}
	}
	return isListed
}

// pend marks the responses whose answers were still in flight.
func (e *Event) pend(items []string) {
	for i := range e.Responses {
		if r := &e.Responses[i]; slices.Contains(items, r.Item) {
			r.Answer, r.Recorded, r.Pending = nil, time.Time{}, true
		}
	}
}

// isCleared reports whether an answer is what apps send for none: {}, or an empty text.
func isCleared(json []byte) bool {
	if string(json) == `""` {
		return true
	}
	inner, opened := bytes.CutPrefix(bytes.TrimSpace(json), []byte("{"))
	inner, closed := bytes.CutSuffix(inner, []byte("}"))
	return opened && closed && len(bytes.TrimSpace(inner)) == 0
}
