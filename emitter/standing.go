package emitter

import (
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

const (
	// failingLimit is for how long a target may do nothing but fail until it is disabled.
	failingLimit = 5 * 24 * time.Hour
	// trialEvery is how often a target that was disabled for that is tried all the same.
	trialEvery = 24 * time.Hour
)

// standing is whether a target gets anything at all. A breaker is for hours of
// trouble; this is for a target that nobody may be behind any more. Its
// deliveries are kept, whatever it is disabled for.
type standing struct {
	// cause is why it is disabled, empty while it is not.
	cause outbox.Cause
	// failingSince is when the first of its failures was that no success came after.
	failingSince time.Time
	// trialAt is when a target that was disabled for failing is tried, zero for
	// never; onTrial tells that the time has come.
	trialAt time.Time
	onTrial bool
	// unwritten counts the changes of all this that are not on disk yet.
	unwritten int
}

func (s *standing) disabled() bool { return s.cause != "" }

// tryNow makes a target that was disabled for failing be tried at once.
func (s *standing) tryNow(now time.Time) {
	if s.cause == outbox.CauseFailing {
		s.trialAt = now
	}
}

// getsNothing tells whether nothing may be sent at now. A trial is a probe.
func (q *queue) getsNothing(now time.Time) bool {
	s := &q.standing
	if !s.disabled() || s.onTrial {
		return false
	}
	if s.trialAt.IsZero() || s.trialAt.After(now) {
		return true
	}
	s.onTrial = true
	q.breaker.open()
	return false
}

// judge draws the consequences of an attempt for the target's standing. What
// tells nothing of the target (429, our own faults) changes nothing.
func (q *queue) judge(a attempted, now time.Time) {
	s := &q.standing
	if a.isProbe && s.onTrial && a.result.Outcome != Ours {
		s.onTrial, s.trialAt = false, now.Add(trialEvery)
	}
	switch a.result.Outcome {
	case Delivered:
		q.succeeded()
	case Retry, Rejected:
		q.failed(now)
	case Throttled, Aborted, Gone, Ours:
	}
	if a.result.WantsNoMore() && s.cause != outbox.CauseUnsubscribed {
		q.log.Error("the target wants nothing more: it is disabled and its deliveries are kept until it is enabled or has another URL")
		q.disable(outbox.CauseUnsubscribed, now)
	}
}

func (q *queue) succeeded() {
	s := &q.standing
	switch {
	case s.cause == outbox.CauseFailing:
		q.log.Info("the target took a delivery: it is enabled again")
		q.enable()
	case !s.failingSince.IsZero():
		s.failingSince = time.Time{}
		q.write(func(tx *outbox.Tx) { tx.SetFailingSince(q.name, time.Time{}) })
	}
}

func (q *queue) failed(now time.Time) {
	s := &q.standing
	switch {
	case s.failingSince.IsZero():
		s.failingSince = now
		q.write(func(tx *outbox.Tx) { tx.SetFailingSince(q.name, now) })
	case !s.disabled() && now.Sub(s.failingSince) >= failingLimit:
		q.log.Error("the target did nothing but fail for days: it is disabled and its deliveries are kept; it is tried once a day", "since", s.failingSince)
		q.disable(outbox.CauseFailing, now)
	}
}

func (q *queue) disable(cause outbox.Cause, now time.Time) {
	s := &q.standing
	s.cause, s.onTrial, s.trialAt = cause, false, time.Time{}
	if cause == outbox.CauseFailing {
		s.trialAt = now.Add(trialEvery)
	}
	mark := q.mark()
	q.write(func(tx *outbox.Tx) { tx.Disable(q.name, cause, mark, now) })
}

func (q *queue) enable() {
	q.standing = standing{unwritten: q.standing.unwritten}
	q.write(func(tx *outbox.Tx) { tx.Enable(q.name) })
}

// write changes what the store knows of the target.
func (q *queue) write(fn func(*outbox.Tx)) {
	q.standing.unwritten++
	q.acks.note(fn)
}

// adoptStored looks whether the store has something that adopt should know.
func (q *queue) adoptStored() {
	if known, err := q.store.Target(q.name); err == nil {
		q.adopt(known, time.Now())
	}
}

// adopt takes over what the store says of the target, which an operator may
// have changed. A target that was disabled for failing is tried at once by a
// process that has just started.
func (q *queue) adopt(known outbox.Target, now time.Time) {
	s := &q.standing
	if known.Cause == s.cause || s.unwritten > 0 {
		return
	}
	wasDisabled := s.disabled()
	*s = standing{cause: known.Cause, failingSince: known.FailingSince}
	s.tryNow(now)
	if wasDisabled && !s.disabled() {
		q.breaker.probeNow()
	}
}
