package deliver

import (
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

const (
	// failingLimit is how long a target may fail without a success before it is disabled.
	failingLimit = 5 * 24 * time.Hour
	// trialInterval is how often a target that was disabled for failing is tried.
	trialInterval = 24 * time.Hour
)

// standing is whether a target gets anything at all. The breaker is for hours of
// trouble; this is for a target that may have been abandoned, or that an operator
// or the target itself turned off. Deliveries of a disabled target are kept.
type standing struct {
	state standingState
	// cause is why the target is disabled, empty while it is enabled.
	cause outbox.Cause
	// failingSince is the time of the first failure since the last success, zero without one.
	failingSince time.Time
	// trialAt is when a disabled target is tried, zero for never.
	trialAt time.Time
}

// standingState is the state of a standing.
//
//	            disable                 trialAt passes
//	enabled ───────────────► disabled ◄────────────────► onTrial
//	   ▲                        │        trial failed       │
//	   └────────────────────────┴───────────────────────────┘
//	                           enable
type standingState int

const (
	enabled standingState = iota
	disabled
	// onTrial is a disabled target that may get one probe.
	onTrial
)

// String returns the name of the state.
func (s standingState) String() string { return [...]string{"enabled", "disabled", "on trial"}[s] }

func (s *standing) isDisabled() bool { return s.state != enabled }

// disable keeps everything from the target. Only one that was disabled for failing is tried again.
func (s *standing) disable(cause outbox.Cause, now time.Time) {
	s.state, s.cause, s.trialAt = disabled, cause, time.Time{}
	if cause == outbox.CauseFailing {
		s.trialAt = now.Add(trialInterval)
	}
}

func (s *standing) enable() { *s = standing{} }

// beginTrial lets one probe go if it is time; it reports whether it is.
func (s *standing) beginTrial(now time.Time) bool {
	if s.state != disabled || s.trialAt.IsZero() || s.trialAt.After(now) {
		return false
	}
	s.state = onTrial
	return true
}

// endTrial puts the next trial off, for a probe that the target answered.
func (s *standing) endTrial(now time.Time) {
	if s.state == onTrial {
		s.state, s.trialAt = disabled, now.Add(trialInterval)
	}
}

// tryNow makes the next trial of a target that was disabled for failing due.
func (s *standing) tryNow(now time.Time) {
	if s.cause == outbox.CauseFailing {
		s.trialAt = now
	}
}

// hasOnlyFailed reports whether the target has failed for so long that it is to be disabled.
func (s *standing) hasOnlyFailed(now time.Time) bool {
	return !s.isDisabled() && !s.failingSince.IsZero() && now.Sub(s.failingSince) >= failingLimit
}
