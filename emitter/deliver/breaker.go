package deliver

import (
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

var (
	// errDown is a failure that counts for the breaker, errNoMatter one that does not.
	errDown     = errors.New("the target is down")
	errNoMatter = errors.New("it says nothing about the target")
)

// breaker tells when a target is down, and when to look whether it is up again.
// gobreaker counts and lets one probe at a time through; the time it is open for
// is ours, because it grows: it doubles with every probe that fails.
//
// It belongs to the goroutine of its queue, which makes all calls, the ones to
// the functions that allow returned included.
type breaker struct {
	settings config.Breaker
	circuit  *gobreaker.TwoStepCircuitBreaker[any]
	// forced makes the next failure open the circuit.
	forced bool
	// openFor is how long it was opened for last, 0 while it is closed.
	openFor time.Duration
	// probeAt is when an open circuit lets a probe through.
	probeAt time.Time
}

// newBreaker makes a closed breaker, or one whose first delivery is a probe.
func newBreaker(settings config.Breaker, startsWithProbe bool) *breaker {
	b := &breaker{settings: settings}
	b.circuit = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		MaxRequests: 1,
		// An Interval would forget failures that lie far apart, as those of a
		// target with few deliveries do.
		Interval:      0,
		Timeout:       time.Nanosecond,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return b.forced || c.ConsecutiveFailures >= b.settings.Failures },
		OnStateChange: func(_ string, _, to gobreaker.State) { b.changed(to) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errNoMatter) },
	})
	if startsWithProbe {
		b.open()
	}
	return b
}

// open opens the circuit; a probe is allowed at once.
func (b *breaker) open() {
	if done, err := b.circuit.Allow(); err == nil {
		b.forced = true
		done(errDown)
		b.forced = false
	}
	b.openFor, b.probeAt = 0, time.Time{}
}

// changed is called by the circuit, under its lock: it must not call back.
func (b *breaker) changed(to gobreaker.State) {
	switch to {
	case gobreaker.StateOpen:
		first, last := time.Duration(b.settings.Open), time.Duration(b.settings.MaxOpen)
		b.openFor = min(max(2*b.openFor, first), max(first, last))
		b.probeAt = time.Now().Add(b.openFor)
	case gobreaker.StateClosed:
		b.openFor, b.probeAt = 0, time.Time{}
	case gobreaker.StateHalfOpen:
	}
}

// isClosed tells whether deliveries may go as they come.
func (b *breaker) isClosed() bool { return b.circuit.State() == gobreaker.StateClosed }

// waitsUntil is when the next probe may go, a past time when it may now.
func (b *breaker) waitsUntil() time.Time { return b.probeAt }

// allow returns what to report the outcome to, once, and whether the attempt is
// a probe. It fails while the circuit is open or a probe is under way.
func (b *breaker) allow() (done func(send.Outcome), isProbe bool, err error) {
	report, err := b.circuit.Allow()
	if err != nil {
		return nil, false, err
	}
	return func(outcome send.Outcome) { report(verdictOf(outcome)) }, !b.isClosed(), nil
}

// probeNow lets a probe through at once if the circuit is open.
func (b *breaker) probeNow() { b.probeAt = time.Time{} }

// verdictOf is what an outcome says about whether the target is up.
func verdictOf(outcome send.Outcome) error {
	switch outcome {
	case send.Retry:
		return errDown
	case send.Throttled, send.Ours:
		return errNoMatter
	case send.Delivered, send.Rejected, send.Aborted, send.Gone:
		return nil
	}
	return errNoMatter
}
