package deliver

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	// maxRejections is how many retries a delivery gets that the target refused.
	maxRejections = 2
	// maxRetryAfter bounds for how long a target can put us off.
	maxRetryAfter = outbox.MaxRetryAfter
)

// verdict is what becomes of a delivery after an attempt.
type verdict int

const (
	// delivered and dead end it.
	delivered verdict = iota
	dead
	// retried sends it again when it is due.
	retried
	// free leaves it as it was: the attempt does not count.
	free
)

// String returns the name of the verdict.
func (v verdict) String() string { return [...]string{"delivered", "dead", "retried", "free"}[v] }

// decision is what the retry policy makes of an attempt.
type decision struct {
	verdict verdict
	retry   outbox.Retry
	// holdUntil is the end of the pause that the target asked for, zero without one.
	holdUntil time.Time
}

// decide applies the retry policy to an attempt that ended at now. chance is a
// random number in [0,1).
func decide(policy config.Retry, d *outbox.Delivery, r send.Result, now time.Time, chance float64) decision {
	putOff := putOffBy(r)
	var decided decision
	if putOff > 0 && (r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable) {
		decided.holdUntil = now.Add(putOff)
	}
	rejected := r.Outcome == send.Rejected
	switch {
	case r.Outcome == send.Delivered:
		return decision{verdict: delivered}
	case r.Outcome == send.Gone, r.Outcome == send.Ours:
		return decision{verdict: free}
	case r.Outcome == send.Aborted, rejected && d.Rejections >= maxRejections, d.Attempts >= len(policy.Schedule):
		decided.verdict = dead
		return decided
	}
	wait := jittered(time.Duration(policy.Schedule[d.Attempts]), policy.Jitter, chance)
	decided.verdict = retried
	decided.retry = outbox.Retry{Due: now.Add(max(wait, putOff)), FromRetryAfter: putOff > 0, Rejected: rejected}
	return decided
}

// decideProbe is decide for a probe. One that got no connection costs its delivery
// nothing, and one that was sent before the delivery was due is never its last attempt.
func decideProbe(policy config.Retry, d *outbox.Delivery, r send.Result, now time.Time, chance float64) decision {
	decided := decide(policy, d, r, now, chance)
	isLast := d.Attempts >= len(policy.Schedule) && (r.Outcome == send.Retry || r.Outcome == send.Throttled)
	if r.NoConnection || isLast && d.Due.After(now) {
		decided.verdict = free
	}
	return decided
}

// putOffBy returns the wait that the target asked for, as far as it is obeyed.
func putOffBy(r send.Result) time.Duration { return min(max(r.RetryAfter, 0), maxRetryAfter) }

// longestWait returns the longest that a retry can be put off.
func longestWait(policy config.Retry) time.Duration {
	longest := maxRetryAfter
	for _, wait := range policy.Schedule {
		longest = max(longest, jittered(time.Duration(wait), policy.Jitter, 1))
	}
	return longest
}

// jittered varies a wait by up to ±jitter of it.
func jittered(wait time.Duration, jitter, chance float64) time.Duration {
	return wait + time.Duration(float64(wait)*jitter*(2*chance-1))
}

func random() float64 { return rand.Float64() }
