package funnel

import (
	"math"
	"slices"
	"time"
)

const (
	// shortest is the upper bound of the first bucket. Each further one is larger by
	// the fourth root of 2, so that a median is exact to a fifth.
	shortest       = 250 * time.Millisecond
	bucketsPerFold = 4
	// bucketCount leaves durations of more than a day to the last bucket.
	bucketCount = 76
)

// bounds has the upper bounds of all buckets but the last, exclusive.
var bounds = func() (list [bucketCount - 1]time.Duration) {
	for n := range list {
		list[n] = time.Duration(float64(shortest) * math.Exp2(float64(n)/bucketsPerFold))
	}
	return list
}()

// Histogram is how many durations fall into each of a fixed number of buckets. The
// zero value is empty.
type Histogram [bucketCount]uint64

// Add adds a duration.
func (h *Histogram) Add(d time.Duration) {
	n, isBound := slices.BinarySearch(bounds[:], d)
	if isBound {
		n++
	}
	h[n]++
}

// Median returns a duration that half of those added do not exceed, exact to a fifth
// between 250ms and a day; ok is false if there is none.
func (h *Histogram) Median() (median time.Duration, ok bool) {
	total := uint64(0)
	for _, n := range h {
		total += n
	}
	if total == 0 {
		return 0, false
	}
	rest := float64(total) / 2
	for n, count := range h {
		if rest > float64(count) {
			rest -= float64(count)
			continue
		}
		return within(n, rest/float64(count)), true
	}
	return bounds[len(bounds)-1], true
}

// within returns the duration at a part, 0 to 1, of a bucket.
func within(bucket int, part float64) time.Duration {
	switch bucket {
	case 0:
		return time.Duration(part * float64(shortest))
	case bucketCount - 1:
		return bounds[bucket-1]
	}
	low, high := float64(bounds[bucket-1]), float64(bounds[bucket])
	return time.Duration(low * math.Pow(high/low, part))
}
