package rules

import (
	"bytes"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

// Event is one navigation of one participant: what rules fire on and what
// targets are told. All of it is fixed at the navigation, but for the answers
// that were in flight then.
type Event struct {
	// Place is the navigation's place in the journey, from 1.
	Place int
	// At is when the app had answered the navigation.
	At          time.Time
	Survey      Survey
	Participant Participant
	// From is the page left; its number and position are 0 where it was never shown to us.
	From PageRef
	// To is the page reached, nil when the survey is completed.
	To *PageRef
	// PageCount is the number of pages as the app gave it.
	PageCount int
	// Recovered marks a navigation that went unseen and was told by the next page shown.
	Recovered bool
	// Partial tells that something of the journey is not known, so that Responses
	// may lack some or the place in the participant's order may be wrong.
	Partial bool
	// Responses has every page that takes a response and was loaded, by page number.
	Responses []Response
	// Traceparent of the participant's request, empty without one.
	Traceparent string
}

// Survey names a survey instance.
type Survey struct {
	ID, Instance string
	// FriendlyID is the app's short name of the instance, empty where the app has none.
	FriendlyID string
	// Study is the study that the participant entered by: its friendly id, else its id; empty without one.
	Study string
}

// Participant is who takes the survey.
type Participant struct {
	ID string
	// Started is when the first page was loaded, zero when unknown.
	Started time.Time
}

// PageRef names a page of a journey.
type PageRef struct {
	ID string
	// Number is the page's number in the survey as its author sees it.
	Number int
	// Position is the page's place in this participant's own order, from 1.
	Position int
	// Name is nil where the app has none, and for a page that was never shown to us.
	Name *string
}

// Response is what a participant answered on one page.
type Response struct {
	Page PageRef
	// Question is the text of the page's question, nil when it has none.
	Question *string
	// Item is the response item's id.
	Item string
	// Type is the response item's type, nil where the app has none.
	Type     *string
	Optional bool
	// Left tells that an earlier navigation left the page after its last load.
	Left bool
	// Answer is the last answer, the very bytes that the participant sent; nil without one.
	Answer []byte
	// PageLoaded is the last time the page was loaded.
	PageLoaded time.Time
	// Recorded is when the last answer was recorded, zero without one.
	Recorded time.Time
	// Redacted tells that there is an answer, which a target must not see: Answer is nil.
	Redacted bool `json:"-"`
}

// ResponseState tells apart the ways in which a response can be missing.
type ResponseState string

// The states of a response.
const (
	Answered   ResponseState = "answered"
	Cleared    ResponseState = "cleared"
	Skipped    ResponseState = "skipped"
	Unanswered ResponseState = "unanswered"
)

// Completed tells whether the navigation ended the survey.
func (e *Event) Completed() bool { return e.To == nil }

// Name is the narrowest name that a rule can fire on.
func (e *Event) Name() config.EventName {
	if e.Completed() {
		return config.Completion
	}
	return config.PageNavigation
}

// State tells what became of a response by the time of the event.
func (e *Event) State(r *Response) ResponseState {
	switch {
	case r.Answer != nil && isEmptyObject(r.Answer):
		return Cleared
	case r.Answer != nil, r.Redacted:
		return Answered
	case r.Left || r.Page.ID == e.From.ID:
		return Skipped
	default:
		return Unanswered
	}
}

// answer takes in an answer that was in flight at the navigation.
func (e *Event) answer(item string, answer Answer) {
	for i := range e.Responses {
		if r := &e.Responses[i]; r.Item == item {
			r.Answer, r.Recorded = answer.Bytes, answer.Recorded
		}
	}
}

func isEmptyObject(json []byte) bool {
	inner, opened := bytes.CutPrefix(bytes.TrimSpace(json), []byte("{"))
	inner, closed := bytes.CutSuffix(inner, []byte("}"))
	return opened && closed && len(bytes.TrimSpace(inner)) == 0
}
