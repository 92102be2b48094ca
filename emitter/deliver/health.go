package deliver

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

// health decides whether a target may be sent anything: whether it is enabled,
// whether it asked for a pause and whether it is up. What a restart must not
// forget of this, it has the outbox store.
type health struct {
	name string
	log  *slog.Logger
	// urlMark identifies the target's URL in the outbox without showing it.
	urlMark string
	// store queues a change of the outbox.
	store func(func(*outbox.Tx))
	// unstored is the number of such changes that are not on disk yet.
	unstored int

	standing standing
	breaker  *breaker
	// heldUntil is the end of the pause that the target asked for.
	heldUntil time.Time
	// probing is set while a probe is in flight.
	probing bool
	// logDown throttles the message that the target is down; isDownLogged is set if
	// it was logged the last time.
	logDown      rate.Sometimes
	isDownLogged bool
	// logFailing and isFailingLogged are the same for its first failure.
	logFailing      rate.Sometimes
	isFailingLogged bool
}

// transition is what an attempt changed about whether the target is up.
type transition int

const (
	unchanged transition = iota
	wentDown
	// regained: it can be reached again, and fails still.
	regained
	// cameUp: it is up again.
	cameUp
	// blinked: it is up again so soon that no retry has missed anything.
	blinked
)

// String returns the name of the transition.
func (t transition) String() string {
	return [...]string{"unchanged", "went down", "regained", "came up", "blinked"}[t]
}

func newHealth(name string, target config.Target, log *slog.Logger, store func(func(*outbox.Tx))) *health {
	return &health{
		name: name, log: log, store: store, urlMark: urlMark(target),
		breaker: newBreaker(target.Breaker), logDown: rate.Sometimes{Interval: warnInterval}, logFailing: rate.Sometimes{Interval: warnInterval},
	}
}

// restore takes over what an earlier process left: a target that was disabled or
// held, and one that was failing (its oldest delivery has failed before), which
// starts with a probe.
func (h *health) restore(known outbox.Target, oldestFailed bool, now time.Time) {
	h.adopt(known, now)
	h.standing.failingSince = known.FailingSince
	if known.DisabledMark != h.urlMark && h.standing.isDisabled() && h.standing.cause != outbox.CauseOperator {
		h.enable()
	}
	h.heldUntil = earlier(known.HeldUntil, now.Add(maxRetryAfter)) // the clock may have been ahead
	if oldestFailed {
		h.breaker.open()
	}
}

// adopt takes over what the store says of the target, which an operator may have
// changed, unless changes of our own are on their way there. A target that was
// disabled for failing is tried at once by a process that has just started.
func (h *health) adopt(known outbox.Target, now time.Time) {
	if known.Cause == h.standing.cause || h.unstored > 0 {
		return
	}
	wasDisabled := h.standing.isDisabled()
	h.standing = standing{failingSince: known.FailingSince}
	if known.Cause != "" {
		h.standing.disable(known.Cause, now)
	}
	h.standing.tryNow(now)
	if wasDisabled && !h.standing.isDisabled() {
		h.breaker.probeNow()
	}
}

// state returns how the target is doing, and when it is tried again if it is not up.
func (h *health) state(now time.Time) (state State, until time.Time) {
	switch {
	case h.standing.isDisabled():
		return Disabled, h.standing.trialAt
	case h.heldUntil.After(now):
		return Held, h.heldUntil
	case !h.breaker.isClosed():
		return Down, h.breaker.probeAt
	case !h.standing.failingSince.IsZero():
		return Failing, time.Time{}
	}
	return Up, time.Time{}
}

// blocks reports whether nothing may be sent, not even a probe, and until when;
// zero means until an operator or a changed configuration says otherwise.
func (h *health) blocks(now time.Time) (until time.Time, blocked bool) {
	if h.standing.beginTrial(now) {
		h.breaker.open()
	}
	if h.standing.state == disabled {
		return h.standing.trialAt, true
	}
	return h.heldUntil, h.heldUntil.After(now)
}

// configure takes over a changed target, which is tried at once. If its URL is
// another, it need not be what the old one was, so it starts anew.
func (h *health) configure(target config.Target, now time.Time) {
	h.breaker.configure(target.Breaker)
	h.breaker.probeNow()
	h.standing.tryNow(now)
	mark := urlMark(target)
	if mark == h.urlMark {
		return
	}
	h.urlMark = mark
	h.hold(time.Time{})
	if h.standing.cause != outbox.CauseOperator {
		h.enable()
	}
}

// allow permits an attempt. It fails while a probe is in flight.
func (h *health) allow() (permit, error) {
	p, err := h.breaker.allow()
	if err == nil {
		h.probing = p.isProbe
	}
	return p, err
}

// admits returns what may be sent, and when that will be more, zero for not before
// something happens: while a probe is in flight, its end.
func (h *health) admits(now time.Time) (a admission, until time.Time) {
	if h.probing {
		return admitsNone, time.Time{}
	}
	return h.breaker.admits(now)
}

// report records the result of an attempt and what the retry policy made of it.
func (h *health) report(a attempted, decided decision, now time.Time) transition {
	wasClosed, contact := h.breaker.isClosed(), h.breaker.contact
	h.breaker.report(a.permit, evidenceOf(a), a.delivery.Participant)
	if decided.holdUntil.After(h.heldUntil) {
		h.hold(decided.holdUntil)
	}
	h.judge(a, now)
	switch isClosed := h.breaker.isClosed(); {
	case a.permit.isProbe:
		return h.probed(a, contact, now)
	case wasClosed && !isClosed:
		h.isDownLogged = false
		h.logDown.Do(func() {
			h.isDownLogged = true
			h.log.Warn("target is down, sending nothing but probes", "reason", a.result.Reason, "next_probe", h.breaker.probeAt)
		})
		return wentDown
	}
	return unchanged
}

// probed records the result of a probe; contact is as it was before.
func (h *health) probed(a attempted, contact contact, now time.Time) transition {
	h.probing = false
	if h.breaker.isClosed() {
		if h.isDownLogged && !h.standing.isDisabled() {
			h.log.Info("target is up again")
		}
		if !h.breaker.wasOpenLong(now) {
			return blinked
		}
		return cameUp
	}
	isAfterRestart := h.breaker.openedAt.IsZero()
	if contact == lost && h.breaker.contact == kept && !isAfterRestart {
		return regained
	}
	if a.result.Outcome == send.Throttled && !h.heldUntil.After(now) {
		// It did not say for how long: as long as if it were down.
		h.hold(now.Add(time.Duration(h.breaker.settings.Open)))
	}
	return unchanged
}

// hold keeps everything from the target until then; the zero time ends a hold.
func (h *health) hold(until time.Time) {
	h.heldUntil = until
	h.change(func(tx *outbox.Tx) { tx.Hold(h.name, until) })
}

// change changes what the outbox knows of the target.
func (h *health) change(fn func(*outbox.Tx)) {
	h.unstored++
	h.store(fn)
}

// stored counts changes as on disk.
func (h *health) stored(changes int) { h.unstored -= changes }

func urlMark(target config.Target) string {
	sum := sha256.Sum256([]byte(target.URL.Reveal()))
	return hex.EncodeToString(sum[:8])
}
