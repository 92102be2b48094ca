package deliver

import "github.com/sidehook/sidehook/emitter/send"

// evidence is what an attempt says about whether its target is up. A failure may
// be due to what a participant wrote, unless no connection could be made.
type evidence int

const (
	// neutral: it says nothing (429, a failure of our own).
	neutral evidence = iota
	// working: the target accepted the delivery, or refused it for what it is.
	working
	// failedFirst: the first attempt of a delivery failed.
	failedFirst
	// failedAgain: a delivery failed that had failed before, most likely by its own fault.
	failedAgain
	// noConnection: the target could not be reached.
	noConnection
)

// String returns the name of the evidence.
func (e evidence) String() string {
	return [...]string{"neutral", "working", "failed first", "failed again", "no connection"}[e]
}

// evidenceOf returns what an attempt says.
func evidenceOf(a attempted) evidence {
	switch a.result.Outcome {
	case send.Delivered, send.Rejected, send.Aborted, send.Gone:
		return working
	case send.Throttled, send.Ours:
		return neutral
	case send.Retry:
	}
	switch {
	case a.result.NoConnection:
		return noConnection
	case a.delivery.Attempts > 0:
		return failedAgain
	}
	return failedFirst
}
