package send

import "time"

// Result is how one attempt ended.
type Result struct {
	Outcome Outcome
	// Status is the target's status code, 0 without an answer.
	Status int
	// Reason says in a few words why it failed ("connection refused", "timeout",
	// "status 503"); it holds no URL, secret or answer.
	Reason string
	// Disable tells that a receiver asked to be left alone from now on.
	Disable bool
	// RetryAfter is what the target asked for, 0 when it asked for nothing.
	RetryAfter time.Duration
	// Excerpt is the beginning of a failed response's body, at most 1 KiB.
	Excerpt []byte
	// Duration of the attempt.
	Duration time.Duration
}

// WantsNoMore tells whether the target wants to get nothing from now on. It may
// have taken the delivery all the same.
func (r *Result) WantsNoMore() bool { return r.Outcome == Gone || r.Disable }

// Outcome classifies a Result for the retry policy and the breaker.
type Outcome int

// The outcomes of an attempt.
const (
	// Delivered: a 2xx.
	Delivered Outcome = iota
	// Retry: the target is in trouble (408, 425, 5xx, network, timeout).
	Retry
	// Throttled: the target is up and asks for less (429).
	Throttled
	// Rejected: the target is up and refuses this delivery (other 4xx, 3xx).
	Rejected
	// Aborted: the target never wants this delivery (webhook-delivery: abort-message).
	Aborted
	// Gone: the target wants nothing more (410, webhook-delivery: disable).
	Gone
	// Ours: the failure was on our side (shutdown, no file descriptors, the name
	// server or proxy, an address that is not allowed).
	Ours
)

// String names the outcome as logs and metrics do.
func (o Outcome) String() string {
	switch o {
	case Delivered:
		return "delivered"
	case Retry:
		return "retry"
	case Throttled:
		return "throttled"
	case Rejected:
		return "rejected"
	case Aborted:
		return "aborted"
	case Gone:
		return "gone"
	case Ours:
		return "ours"
	}
	return "unknown"
}
