package send

import "time"

// Result is how one attempt ended.
type Result struct {
	Outcome Outcome
	// Status is the target's status code, 0 without a response.
	Status int
	// Reason says in a few words why the attempt failed ("connection refused",
	// "timeout", "status 503"). It holds no URL, secret or answer.
	Reason string
	// NoConnection is set when no connection could be made, so that nothing of the
	// delivery was sent: the failure cannot be due to what is in it.
	NoConnection bool
	// Disable is set when the receiver asked for no further deliveries.
	Disable bool
	// RetryAfter is the wait that the target asked for, at most 24 hours; 0 if it asked for none.
	RetryAfter time.Duration
	// Excerpt is the beginning of a failed response's body, at most 1 KiB.
	Excerpt []byte
	// Duration of the attempt.
	Duration time.Duration
}

// WantsNoMore reports whether the target asked for no further deliveries. It may
// have accepted this one all the same.
func (r *Result) WantsNoMore() bool { return r.Outcome == Gone || r.Disable }
