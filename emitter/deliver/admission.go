package deliver

import "time"

// admission is which deliveries a target may be sent.
type admission int

const (
	// admitsNone: none.
	admitsNone admission = iota
	// admitsNew: those that never failed.
	admitsNew
	// admitsDue: those that are due.
	admitsDue
	// admitsAny: those that are due and, if there is none, any other.
	admitsAny
)

// String returns the name of the admission.
func (a admission) String() string { return [...]string{"none", "new", "due", "any"}[a] }

// admits returns what may be sent, and when that will be more, zero for not before
// something happens. A target that fails deliveries while it can be reached goes on
// getting those that never failed, one after the other: if others' content is what
// it fails at, the first of them that is accepted shows it.
func (b *breaker) admits(now time.Time) (a admission, until time.Time) {
	switch isWaiting := b.probeAt.After(now); {
	case b.isClosed():
		return admitsDue, time.Time{}
	case b.contact == lost && isWaiting:
		return admitsNone, b.probeAt
	case b.contact == lost:
		return admitsAny, time.Time{}
	case isWaiting:
		return admitsNew, b.probeAt
	}
	return admitsDue, time.Time{}
}
