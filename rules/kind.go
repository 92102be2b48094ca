package rules

// Kind is the kind of an observation: what an exchange says, in the words of a
// profile. A new kind also needs: kinds and requiredIDs (route_file.go), Journey.fold,
// and the text of `sidehook try` (trial/text.go).
type Kind string

// The kinds of observations.
const (
	// PageShown: the app returned the page that the participant is on.
	PageShown Kind = "page_shown"
	// PageLoaded: the participant's browser displays a page.
	PageLoaded Kind = "page_loaded"
	// Answered: the app has stored an answer.
	Answered Kind = "answered"
	// Navigated: the participant requested the next page, and the app returned
	// where they are now, be it the same page.
	Navigated Kind = "navigated"
	// Reached: the participant is on this page now, wherever they were before.
	Reached Kind = "reached"
	// Completed: the participant has completed the survey.
	Completed Kind = "completed"
	// SurveyShown: the app has sent the definitions of all items of a survey.
	SurveyShown Kind = "survey_shown"
	// Nothing: an exchange matched a route, and ended without saying anything.
	Nothing Kind = "nothing"
)

// Moves reports whether an exchange may take the participant to another page, and so
// make an event, which waits for answers in flight.
func (k Kind) Moves() bool { return k == Navigated || k == Reached || k == Completed }
