package rules

import "time"

// Event is one navigation of one participant: what rules fire on and what
// targets are told. Its ID and its Place never change; its Responses are fixed
// once the answers that were in flight at the navigation have arrived.
type Event struct {
	// Place is the navigation's place in the journey, from 1.
	Place int
	// At is when the app had answered the navigation.
	At          time.Time
	Survey      Survey
	Participant Participant
	// From is the page left; its ID is empty where the journey does not know it.
	From PageRef
	// To is the page reached, nil when the survey is completed.
	To *PageRef
	// PageCount is the number of pages as the app gave it.
	PageCount int
	// Recovered marks a navigation that went unseen and was told by the next page shown.
	Recovered bool
	// Partial marks a journey whose beginning was not seen.
	Partial bool
	// Responses has every page with a response item that the participant had loaded, by page number.
	Responses []Response
	// Traceparent of the participant's request, empty without one.
	Traceparent string
}

// Survey names a survey instance.
type Survey struct {
	ID, Instance string
	// FriendlyID is the app's short name of the instance, empty where the app has none.
	FriendlyID string
	// Study is the friendly id of the study the participant entered by, empty without one.
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
	Name     string
}

// Response is what a participant answered on one page.
type Response struct {
	Page PageRef
	// Question is the text of the page's question, nil when it has none.
	Question *string
	// Type is the response item's type.
	Type     string
	Optional bool
	State    ResponseState
	// Answer is the last answer, the very bytes that the participant sent; nil without one.
	Answer []byte
	// PageLoaded is the last time the page was loaded.
	PageLoaded time.Time
	// Recorded is when the last answer was recorded, zero without one.
	Recorded time.Time
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
