package deliver

import (
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/sidehook/sidehook/rules/config"
)

var (
	// errDown is a failure that counts for the circuit, errNeutral one that does not.
	errDown    = errors.New("the target is down")
	errNeutral = errors.New("says nothing about the target")
)

// breaker is a circuit breaker. gobreaker lets one probe at a time through while
// it is open; which failures open it, and the time between probes, which doubles
// with every one that fails, are added here. All calls come from the goroutine of
// the queue.
type breaker struct {
	settings  config.Breaker
	circuit   *gobreaker.TwoStepCircuitBreaker[any]
	suspicion suspicion
	// forced makes the next failure open the circuit.
	forced  bool
	contact contact
	// era changes whenever the circuit opens or closes: what began before says nothing.
	era int
	// openFor is the last time between two probes, 0 while closed.
	openFor time.Duration
	// probeAt is when the next probe may go, zero for at once.
	probeAt time.Time
	// openedAt is when the circuit opened, zero if an earlier process may have found the target down.
	openedAt time.Time
}

// contact is whether a target can be reached. It matters while the circuit is open.
//
//	        a probe gets no connection
//	kept ─────────────────────────────────► lost
//	   ◄─────────────────────────────────
//	        a probe fails in another way
type contact int

const (
	// kept: it fails deliveries, which may be due to what is in them.
	kept contact = iota
	// lost: it gives no connection, or nobody knows.
	lost
)

// String returns the name of the contact.
func (c contact) String() string { return [...]string{"kept", "lost"}[c] }

// permit allows one attempt. Its end must be reported once.
type permit struct {
	done func(error)
	era  int
	// isProbe is set for an attempt that finds out whether the target is up again.
	isProbe bool
}

// newBreaker returns a closed breaker.
func newBreaker(settings config.Breaker) *breaker {
	b := &breaker{settings: settings}
	b.circuit = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		MaxRequests: 1,
		Timeout:     time.Nanosecond, // probeAt decides
		ReadyToTrip: func(gobreaker.Counts) bool { return b.forced || b.suspicion.isDown(b.settings.Failures) },
		IsExcluded:  func(err error) bool { return errors.Is(err, errNeutral) },
	})
	return b
}

// configure applies changed settings from the next failure on.
func (b *breaker) configure(settings config.Breaker) { b.settings = settings }

// isClosed reports whether deliveries may go as they come.
func (b *breaker) isClosed() bool { return b.circuit.State() == gobreaker.StateClosed }

// allow fails while a probe is in flight.
func (b *breaker) allow() (permit, error) {
	done, err := b.circuit.Allow()
	return permit{done: done, era: b.era, isProbe: !b.isClosed()}, err
}

// report ends an attempt of a participant's delivery.
func (b *breaker) report(p permit, e evidence, participant uint64) {
	if p.era != b.era {
		e = neutral
	}
	wasClosed := b.isClosed()
	b.suspicion.add(e, participant, b.settings.Failures)
	p.done(circuitError(p, e))
	switch isClosed := b.isClosed(); {
	case wasClosed && !isClosed:
		b.opened(e)
	case !wasClosed && isClosed:
		b.era++
		b.openFor, b.probeAt = 0, time.Time{}
	case p.isProbe && !isClosed:
		b.probeFailed(e)
	}
}

func (b *breaker) opened(e evidence) {
	b.era++
	b.contact, b.openedAt = contactAfter(e), time.Now()
	b.wait()
}

// probeFailed puts the next probe off, for twice as long as the last time. The first
// attempt of a delivery does not: it was let go without waiting.
func (b *breaker) probeFailed(e evidence) {
	if e == neutral {
		return
	}
	before := b.contact
	b.contact = contactAfter(e)
	if hasAnswered := before == lost && b.contact == kept; hasAnswered {
		b.openFor = 0
		b.wait()
	} else if e != failedFirst {
		b.wait()
	}
}

// wait puts the next probe off.
func (b *breaker) wait() {
	first, last := time.Duration(b.settings.Open), time.Duration(b.settings.MaxOpen)
	b.openFor = min(max(2*b.openFor, first), max(first, last))
	b.probeAt = time.Now().Add(b.openFor)
}

// open opens the circuit and allows a probe at once, with any delivery.
func (b *breaker) open() {
	b.forced = true
	if p, err := b.allow(); err == nil {
		b.report(p, noConnection, 0)
	}
	b.forced, b.suspicion = false, suspicion{}
	b.contact, b.openFor, b.probeAt, b.openedAt = lost, 0, time.Time{}, time.Time{}
}

// probeNow allows a probe at once if the circuit is open.
func (b *breaker) probeNow() { b.probeAt = time.Time{} }

// wasOpenLong reports whether the circuit was open for so long that retries have
// missed something.
func (b *breaker) wasOpenLong(now time.Time) bool {
	return now.Sub(b.openedAt) >= time.Duration(b.settings.Open)
}

func contactAfter(e evidence) contact {
	if e == noConnection {
		return lost
	}
	return kept
}

// circuitError returns what an attempt says about whether the target is up: nil if it is.
func circuitError(p permit, e evidence) error {
	switch {
	case e == working:
		return nil
	case e == neutral, e == failedAgain && !p.isProbe:
		return errNeutral
	}
	return errDown
}
