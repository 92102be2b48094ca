package record

import (
	"slices"
	"time"
)

const (
	// clockTime is for how long a measurement of a clock counts.
	clockTime = time.Minute
	// clockDrift is how much further apart two clocks may be after a second.
	clockDrift = 100 * time.Microsecond
	// trustedClock is how far from the median a clock may be that counts as right.
	trustedClock = 5 * time.Millisecond
	// sharedClock is how far apart two clocks may be of which nothing was measured, as that
	// of a replica that has died: each replica corrects its own by those of the others.
	sharedClock = 25 * time.Millisecond
	// maxClocks bounds the clocks that are remembered. Their replicas may be gone, but
	// not what they have seen.
	maxClocks = 1000
)

// clocks are the clocks of the replicas, measured by the answers to questions. The
// leader's own may be the wrong one, so times are in that of the median.
type clocks struct {
	offsets map[string]offset
	// median is how far ahead of the leader's clock the median is.
	median time.Duration
}

// offset is how far a clock is ahead of the leader's: by at least ahead-unsure, and at
// most ahead+unsure.
type offset struct {
	ahead, unsure time.Duration
	measured      time.Time
}

// measure takes the time in an answer to a question that was sent and answered at these
// times of the leader's clock.
func (c *clocks) measure(incarnation string, now, sent, received time.Time) {
	if c.offsets == nil || len(c.offsets) >= maxClocks {
		c.offsets = map[string]offset{}
	}
	unsure := received.Sub(sent) / 2
	o := offset{ahead: now.Sub(sent.Add(unsure)), unsure: unsure, measured: received}
	best, ok := c.of(incarnation, received)
	wasSet := (o.ahead - best.ahead).Abs() > o.unsure+best.unsure
	if !ok || wasSet || o.unsure <= best.unsure {
		c.offsets[incarnation] = o
	}
}

// share notes that an earlier incarnation had the clock of a later one.
func (c *clocks) share(earlier, later string) {
	if _, isKnown := c.offsets[earlier]; isKnown {
		return
	}
	if o, ok := c.offsets[later]; ok {
		c.offsets[earlier] = o
	}
}

// of returns the offset of a clock as it is known at a time of the leader's clock.
func (c *clocks) of(incarnation string, now time.Time) (o offset, ok bool) {
	o, ok = c.offsets[incarnation]
	age := now.Sub(o.measured)
	if !ok || age > clockTime {
		return offset{}, false
	}
	o.unsure += time.Duration(age.Seconds() * float64(clockDrift))
	return o, true
}

// settle finds the median of the clocks of these replicas, the earlier of two.
func (c *clocks) settle(incarnations []string) {
	var ahead []time.Duration
	for _, incarnation := range incarnations {
		if o, ok := c.offsets[incarnation]; ok {
			ahead = append(ahead, o.ahead)
		}
	}
	if len(ahead) == 0 {
		return
	}
	slices.Sort(ahead)
	c.median = ahead[(len(ahead)-1)/2]
}

// correct returns a time of a replica's clock in that of the median. A clock counts as
// right unless it is known to be wrong: clocks that are set over the network are better
// than what answers tell of them.
func (c *clocks) correct(incarnation string, t time.Time) time.Time {
	o, ok := c.offsets[incarnation]
	ahead := o.ahead - c.median
	if isRight := ahead.Abs() <= o.unsure+trustedClock; !ok || isRight {
		return t
	}
	return t.Add(-ahead)
}

// local returns a time of a replica's clock in that of the leader, and how wrong that may be.
func (c *clocks) local(incarnation string, t, now time.Time) (local time.Time, unsure time.Duration) {
	o, isMeasured := c.of(incarnation, now)
	if !isMeasured {
		return t, sharedClock
	}
	return t.Add(-o.ahead), o.unsure
}
