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
	maxRetryAfter = 24 * time.Hour
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
	// disable tells that the target wants nothing more.
	disable bool
}

// decide applies the retry policy to an attempt that ended at now. chance is a
// random number in [0,1).
func decide(policy rules.Retry, d *outbox.Delivery, r Result, now time.Time, chance float64) decision {
	told := min(max(r.RetryAfter, 0), maxRetryAfter)
	var decided decision
	if told > 0 && (r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable) {
		decided.holdUntil = now.Add(told)
	}
	switch {
	case r.Outcome == Delivered:
		return decision{verdict: isDelivered}
	case r.Outcome == Gone:
		return decision{verdict: costsNothing, disable: true}
	case r.Outcome == Ours:
		return decision{verdict: costsNothing}
	case r.Outcome == Rejected && d.Rejections >= maxRejections, d.Attempts >= len(policy.Schedule):
		decided.verdict = isDead
		return decided
	}
	wait := jittered(time.Duration(policy.Schedule[d.Attempts]), policy.Jitter, chance)
	decided.verdict = retries
	decided.retry = outbox.Retry{Due: now.Add(max(wait, told)), Told: told > wait, Rejected: r.Outcome == Rejected}
	return decided
}

// decideProbe is decide for a probe, which costs its delivery nothing.
func decideProbe(r Result, now time.Time) decision {
	decided := decide(rules.Retry{}, &outbox.Delivery{}, r, now, 0)
	if decided.verdict != isDelivered {
		decided.verdict = costsNothing
	}
	return decided
}

// jittered varies a wait by up to ±jitter of it.
func jittered(wait time.Duration, jitter, chance float64) time.Duration {
	return wait + time.Duration(float64(wait)*jitter*(2*chance-1))
}

// anyChance is the chance of production.
func anyChance() float64 { return rand.Float64() }
