package record

import (
	"time"

	"github.com/sidehook/sidehook/emitter/replica"
)

const (
	// unmeasuredClock is how far apart two clocks may be of which nothing was measured, as
	// that of a replica that has died: each replica corrects its own by those of the others.
	unmeasuredClock = 25 * time.Millisecond
	// maxClocks bounds the clocks that are remembered. Their replicas may be gone, but
	// not what they have seen.
	maxClocks = 1000
)

// clocks are those of the replicas, measured by their answers to questions: how surely an
// exchange was over before another began depends on how well they are known.
type clocks map[string]replica.Offset

// measure takes the time in an answer to a question that was sent and answered at these
// times of the leader's clock.
func (c clocks) measure(incarnation string, now, sent, received time.Time) {
	newer, ok := replica.MeasureOffset(now, sent, received, 0)
	if !ok {
		return
	}
	if len(c) >= maxClocks {
		clear(c)
	}
	o := c[incarnation]
	o.Take(newer)
	c[incarnation] = o
}

// local returns a time of a replica's clock in that of the leader, and how wrong that may be.
func (c clocks) local(incarnation string, t time.Time) (local time.Time, unsure time.Duration) {
	o, isMeasured := c[incarnation].Now()
	if !isMeasured {
		return t, unmeasuredClock
	}
	return t.Add(-o.Ahead), o.Unsure
}
