package funnel

// Counter is what is counted. The values are part of the format of encoded Counts.
type Counter uint8

// The counters of a survey are Started to Returned, those of a page Abandoned to Left.
const (
	// Started: a participant loaded their first page.
	Started Counter = iota
	// Completed: a participant reached the end.
	Completed
	// ScreenedOut: the app ended the survey early.
	ScreenedOut
	// Abandoned: a participant was silent for too long.
	Abandoned
	// Returned: a participant who had abandoned the survey went on.
	Returned
	// Reached: a participant was on the page for the first time.
	Reached
	// Left: a participant navigated away from the page for the first time.
	Left
	counterCount
)

// String returns the counter's name in the API.
func (c Counter) String() string {
	switch c {
	case Started:
		return "started"
	case Completed:
		return "completed"
	case ScreenedOut:
		return "screened_out"
	case Abandoned:
		return "abandoned"
	case Returned:
		return "returned"
	case Reached:
		return "reached"
	case Left:
		return "left"
	case counterCount:
	}
	return "unknown"
}
