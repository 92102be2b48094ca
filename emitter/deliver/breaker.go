package deliver

import (
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

var (
	// errDown is a failure that counts for the breaker, errNeutral one that does not.
	errDown    = errors.New("the target is down")
	errNeutral = errors.New("says nothing about the target")
)

// breaker is a circuit breaker. gobreaker counts failures and lets one probe at a
// time through; the time for which it stays open is added here, since it doubles
// with every probe that fails. All calls come from the goroutine of the queue.
type breaker struct {
	settings config.Breaker
	circuit  *gobreaker.TwoStepCircuitBreaker[any]
	// tripAfter is the number of consecutive failures that open the circuit.
	tripAfter uint32
	// openFor is the last time between two probes, 0 while closed.
	openFor time.Duration
	// probeAt is when the next probe may go, zero for at once.
	probeAt time.Time
}

// permit allows one attempt. Its end must be reported once.
type permit struct {
	done func(error)
	// isProbe is set for an attempt that finds out whether the target is up again.
	isProbe bool
}

// newBreaker returns a closed breaker.
func newBreaker(settings config.Breaker) *breaker {
	b := &breaker{}
	b.configure(settings)
	b.circuit = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		MaxRequests: 1,
		Timeout:     time.Nanosecond, // probeAt decides
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= b.tripAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, errNeutral) },
	})
	return b
}

// configure applies changed settings from the next failure on.
func (b *breaker) configure(settings config.Breaker) {
	b.settings, b.tripAfter = settings, settings.Failures
}

// isClosed reports whether deliveries may go as they come.
func (b *breaker) isClosed() bool { return b.circuit.State() == gobreaker.StateClosed }

// allow fails while a probe is in flight.
func (b *breaker) allow() (permit, error) {
	done, err := b.circuit.Allow()
	return permit{done: done, isProbe: !b.isClosed()}, err
}

// report ends an attempt.
func (b *breaker) report(p permit, outcome send.Outcome) {
	wasClosed := b.isClosed()
	p.done(breakerError(outcome))
	switch isFailedProbe := p.isProbe && outcome == send.Retry; {
	case b.isClosed():
		b.openFor, b.probeAt = 0, time.Time{}
	case wasClosed, isFailedProbe:
		first, last := time.Duration(b.settings.Open), time.Duration(b.settings.MaxOpen)
		b.openFor = min(max(2*b.openFor, first), max(first, last))
		b.probeAt = time.Now().Add(b.openFor)
	}
}

// open opens the circuit and allows a probe at once.
func (b *breaker) open() {
	b.tripAfter = 1
	if p, err := b.allow(); err == nil {
		b.report(p, send.Retry)
	}
	b.tripAfter = b.settings.Failures
	b.openFor, b.probeAt = 0, time.Time{}
}

// probeNow allows a probe at once if the circuit is open.
func (b *breaker) probeNow() { b.probeAt = time.Time{} }

// breakerError returns what an outcome says about whether the target is up: nil if it is.
func breakerError(outcome send.Outcome) error {
	switch outcome {
	case send.Retry:
		return errDown
	case send.Throttled, send.Ours:
		return errNeutral
	case send.Delivered, send.Rejected, send.Aborted, send.Gone:
		return nil
	}
	return errNeutral
}
