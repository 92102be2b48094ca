package send

// Outcome classifies a Result for the retry policy and the circuit breaker.
type Outcome int

// The outcomes of an attempt.
const (
	// Delivered: a 2xx.
	Delivered Outcome = iota
	// Retry: the target is in trouble (408, 425, 5xx, network error, timeout).
	Retry
	// Throttled: the target is up and wants fewer requests (429).
	Throttled
	// Rejected: the target is up and refuses this delivery (other 4xx, 3xx).
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
