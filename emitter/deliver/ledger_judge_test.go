package deliver

import (
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

func (l *ledger) judgeOrder(d *entry, at time.Time) {
	if d.state != outbox.Waiting {
		l.violate("%s is sent although it is %s", d.id, d.state)
	}
	for _, before := range l.lanes[d.id[0]] {
		if before == d {
			break
		}
		if before.state == outbox.Waiting {
			l.violate("%s overtakes %s", d.id, before.id)
		}
	}
	if d.inFlight {
		l.violate("%s is sent twice at the same time", d.id)
	}
	if !at.Equal(time.Now()) {
		l.violate("%s is signed as of %s", d.id, at)
	}
}

func (l *ledger) judgeTarget(d *entry, at time.Time) {
	if l.disabled {
		l.violate("%s is sent to a disabled target", d.id)
	}
	if at.Before(l.heldUntil) {
		l.violate("%s is sent although the target is held until %s", d.id, l.heldUntil.Sub(syntheticStart))
	}
	if l.inFlight >= l.policy.Concurrency {
		l.violate("%s is attempt %d at once of %d", d.id, l.inFlight+1, l.policy.Concurrency)
	}
}

// judgeProbe sees that a target that cannot be reached gets nothing before its time,
// and one that fails deliveries nothing before its time but those that never failed.
func (l *ledger) judgeProbe(d *entry, at time.Time) {
	if l.probing {
		l.violate("%s is a second probe", d.id)
	}
	if at.Before(l.probeAt) && (l.isLost || d.attempts > 0) {
		l.violate("%s is sent while the breaker is open until %s", d.id, l.probeAt.Sub(syntheticStart))
	}
}

func (l *ledger) judgeAttempt(d *entry, at time.Time) {
	mayBeEarly := d.isProbe && l.isLost && !d.putOff
	if at.Before(d.due) && !mayBeEarly {
		l.violate("%s is sent before it is due at %s", d.id, d.due.Sub(syntheticStart))
	}
	if d.attempts > 0 {
		l.retried, l.retriedAt, l.retriedAsProbe = d.id, at, d.isProbe
	}
}

// judgeFresh sees that what was never tried goes before what was, and what never
// failed before a probe that did. What begins at one moment does so in any order, so
// it looks back from the next one.
func (l *ledger) judgeFresh() {
	if l.retried == "" || !l.retriedAt.Before(time.Now()) {
		return
	}
	for _, d := range l.deliveries {
		isWaiting := d.state == outbox.Waiting && !d.headSince.IsZero() && d.headSince.Before(l.retriedAt)
		isNew := d.sends == 0 || l.retriedAsProbe && d.attempts == 0 && !d.inFlight && d.endedAt.Before(l.retriedAt)
		if isWaiting && isNew {
			l.violate("the retry %s went before %s, which never failed", l.retried, d.id)
		}
	}
	l.retried = ""
}

// judgeRate follows the bucket of tokens that a rate is.
func (l *ledger) judgeRate(id string, at time.Time) {
	limit, burst := limitOf(l.policy)
	if l.policy.Rate <= 0 {
		return
	}
	l.tokens = min(float64(burst), l.tokens+at.Sub(l.refilled).Seconds()*float64(limit)) - 1
	l.refilled = at
	if l.tokens < -1e-6 {
		l.violate("%s is sent faster than %s", id, l.policy.Rate)
	}
}
