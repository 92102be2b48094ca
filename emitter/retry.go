package emitter

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
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
	// isDelivered and isDead end it.
	isDelivered verdict = iota
	isDead
	// retries sends it again at its due time.
	retries
	// costsNothing leaves it as it was.
	costsNothing
)

// decision is what follows from an attempt.
type decision struct {
	verdict verdict
	retry   outbox.Retry
	// holdUntil is when the target wants to be asked again, zero when it didn't say.
	holdUntil time.Time
}

// decide applies the retry policy to an attempt that ended at now. chance is a
// random number in [0,1).
func decide(policy rules.Retry, d *outbox.Delivery, r Result, now time.Time, chance float64) decision {
	told := toldToWait(r)
	var decided decision
	if told > 0 && (r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable) {
		decided.holdUntil = now.Add(told)
	}
	rejected := r.Outcome == Rejected
	switch {
	case r.Outcome == Delivered:
		return decision{verdict: isDelivered}
	case r.Outcome == Gone, r.Outcome == Ours:
		return decision{verdict: costsNothing}
	case r.Outcome == Aborted, rejected && d.Rejections >= maxRejections, d.Attempts >= len(policy.Schedule):
		decided.verdict = isDead
		return decided
	}
	wait := jittered(time.Duration(policy.Schedule[d.Attempts]), policy.Jitter, chance)
	decided.verdict = retries
	decided.retry = outbox.Retry{Due: now.Add(max(wait, told)), FromRetryAfter: told > 0, Rejected: rejected}
	return decided
}

// decideProbe is decide for a probe, which costs its delivery nothing. Since
// nothing but probes goes to a target that is down, what it asks of one it asks
// of all.
func decideProbe(r Result, now time.Time) decision {
	decided := decision{verdict: costsNothing}
	switch r.Outcome {
	case Delivered:
		return decision{verdict: isDelivered}
	case Aborted:
		decided.verdict = isDead
	case Retry, Throttled, Rejected, Gone, Ours:
	}
	if told := toldToWait(r); told > 0 {
		decided.holdUntil = now.Add(told)
	}
	return decided
}

// toldToWait is for how long the target wants to be left alone, as far as we obey.
func toldToWait(r Result) time.Duration { return min(max(r.RetryAfter, 0), maxRetryAfter) }

// jittered varies a wait by up to ±jitter of it.
func jittered(wait time.Duration, jitter, chance float64) time.Duration {
	return wait + time.Duration(float64(wait)*jitter*(2*chance-1))
}

// anyChance is the chance of production.
func anyChance() float64 { return rand.Float64() }
