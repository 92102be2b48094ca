package send

// Outcome classifies a Result for the retry policy and the circuit breaker.
type Outcome int

// The outcomes of an attempt.
const (
	// Delivered: a 2xx.
	Delivered Outcome = iota
	// Retry: the target or the way to it is in trouble, or is not set up yet (any
	// status that is none of the others, network error, timeout).
	Retry
	// Throttled: the target is up and wants fewer requests (429).
	Throttled
	// Rejected: the target is up and will never take this body (400, 413, 414, 415, 422, 431).
	Rejected
	// Aborted: the target never wants this delivery (webhook-delivery: abort-message).
	Aborted
	// Gone: the target wants no more deliveries (410, webhook-delivery: disable).
	Gone
	// Ours: the failure was on our side (shutdown, no file descriptors, the
	// resolver or forward proxy, an address that is not allowed).
	Ours
)

// Outcomes are all outcomes, in the order of their declaration.
var Outcomes = []Outcome{Delivered, Retry, Throttled, Rejected, Aborted, Gone, Ours}

// String returns the outcome's name in logs and metrics.
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
