package replica

import "time"

const (
	// clockDrift is how much further apart two clocks may be after a second.
	clockDrift = 100 * time.Microsecond
	// offsetTime is for how long a measured offset counts.
	offsetTime = time.Minute
)

// Offset is how far another clock is ahead of ours: by at least Ahead-Unsure, and at most
// Ahead+Unsure. Its zero value is that of a clock that was never measured.
type Offset struct {
	Ahead, Unsure time.Duration
	// measured is when, by the monotonic clock of whoever measured it.
	measured time.Time
}

// MeasureOffset returns the offset of a clock that showed other while a message was on
// its way there and back, between sent and received by our clock. held is for how long
// it was not on its way. ok is false if our own clock was set meanwhile.
func MeasureOffset(other, sent, received time.Time, held time.Duration) (o Offset, ok bool) {
	underway := received.Sub(sent) - held
	if underway < 0 {
		return Offset{}, false
	}
	return Offset{Ahead: other.Sub(received) + underway/2, Unsure: underway / 2, measured: time.Now()}, true
}

// Now returns the offset as it is known now; ok is false if it was not measured lately.
func (o Offset) Now() (now Offset, ok bool) {
	age := time.Since(o.measured)
	if o.measured.IsZero() || age > offsetTime {
		return Offset{}, false
	}
	o.Unsure += time.Duration(age.Seconds() * float64(clockDrift))
	return o, true
}

// Take replaces an offset by a newer one that is known better, or that shows that a clock
// was set.
func (o *Offset) Take(newer Offset) {
	known, ok := o.Now()
	wasSet := (newer.Ahead - known.Ahead).Abs() > newer.Unsure+known.Unsure
	if !ok || wasSet || newer.Unsure <= known.Unsure {
		*o = newer
	}
}
