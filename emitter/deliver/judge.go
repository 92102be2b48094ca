package deliver

import (
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
)

// judge updates the target's standing from the result of an attempt. An outcome
// that says nothing about the target (429, a failure of our own, a refusal of the
// content) changes nothing.
func (h *health) judge(a attempted, now time.Time) {
	if a.permit.isProbe && a.result.Outcome != send.Ours {
		h.standing.endTrial(now)
	}
	switch a.result.Outcome {
	case send.Delivered:
		h.succeeded()
	case send.Retry:
		h.failed(a.result.Reason, now)
	case send.Throttled, send.Rejected, send.Aborted, send.Gone, send.Ours:
	}
	if a.result.WantsNoMore() && h.standing.cause != outbox.CauseUnsubscribed {
		h.log.Error("target asked for no more deliveries, disabling it: its deliveries are kept until it is enabled or has another URL")
		h.disable(outbox.CauseUnsubscribed, now)
	}
}

func (h *health) succeeded() {
	switch {
	case h.standing.cause == outbox.CauseFailing:
		h.log.Info("target accepted a delivery, enabling it again")
		h.enable()
	case !h.standing.failingSince.IsZero():
		if h.isFailingLogged && h.breaker.isClosed() { // or else it is said that it is up again
			h.log.Info("target accepted a delivery again", "failed_since", h.standing.failingSince)
		}
		h.setFailingSince(time.Time{})
	}
}

func (h *health) failed(reason string, now time.Time) {
	switch {
	case h.standing.failingSince.IsZero():
		h.isFailingLogged = false
		h.logFailing.Do(func() {
			h.isFailingLogged = true
			h.log.Warn("target fails, its deliveries are retried", "reason", reason)
		})
		h.setFailingSince(now)
	case h.standing.hasOnlyFailed(now) && h.breaker.suspicion.isGeneral():
		h.log.Error("target has failed for days, disabling it: its deliveries are kept and it is tried once a day", "failing_since", h.standing.failingSince)
		h.disable(outbox.CauseFailing, now)
	}
}

func (h *health) setFailingSince(at time.Time) {
	h.standing.failingSince = at
	h.change(func(tx *outbox.Tx) { tx.SetFailingSince(h.name, at) })
}

func (h *health) disable(cause outbox.Cause, now time.Time) {
	h.standing.disable(cause, now)
	mark := h.urlMark
	h.change(func(tx *outbox.Tx) { tx.Disable(h.name, cause, mark, now) })
}

func (h *health) enable() {
	h.standing.enable()
	h.change(func(tx *outbox.Tx) { tx.Enable(h.name) })
}
