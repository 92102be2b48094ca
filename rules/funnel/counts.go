package funnel

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

var errDamaged = errors.New("counts are damaged")

// Counts are those of a survey or page. The zero value is empty. It is not safe for
// concurrent use.
type Counts struct {
	values [counterCount]uint64
	// times are how long participants took: for a page, until they left it; for a
	// survey, until they completed it.
	times Histogram
}

// Add counts one.
func (c *Counts) Add(counter Counter) { c.values[counter]++ }

// Took adds how long a participant took.
func (c *Counts) Took(d time.Duration) { c.times.Add(max(d, 0)) }

// Of returns how many were counted.
func (c *Counts) Of(counter Counter) uint64 { return c.values[counter] }

// Gone returns how many of those who abandoned a survey or a page have not returned.
func Gone(abandoned, returned uint64) uint64 { return abandoned - min(abandoned, returned) }

// Median returns how long half of the participants took at most; ok is false if
// nobody knows. See Histogram.Median.
func (c *Counts) Median() (median time.Duration, ok bool) { return c.times.Median() }

// Merge adds what others counted.
func (c *Counts) Merge(others *Counts) {
	for n := range c.values {
		c.values[n] = sum(c.values[n], others.values[n])
	}
	for n := range c.times {
		c.times[n] = sum(c.times[n], others.times[n])
	}
}

// sum does not overflow, be it of damaged records.
func sum(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

// Encode returns the counts as bytes: how many counters follow and their values, then
// for each bucket with durations how many empty ones lie before it, and its value. All
// numbers are uvarints. There are at most MaxEncoded bytes.
func (c *Counts) Encode() []byte {
	used := len(c.values)
	for used > 0 && c.values[used-1] == 0 {
		used--
	}
	b := binary.AppendUvarint(make([]byte, 0, 32), uint64(used))
	for _, value := range c.values[:used] {
		b = binary.AppendUvarint(b, value)
	}
	empty := uint64(0)
	for _, value := range c.times {
		if value == 0 {
			empty++
			continue
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b, empty), value)
		empty = 0
	}
	return b
}

// MaxEncoded is the size of the largest encoded Counts.
const MaxEncoded = 1 + (int(counterCount)+bucketCount)*binary.MaxVarintLen64 + bucketCount

// Decode is the inverse of Encode. It leaves out counters that a later release has added.
func Decode(b []byte) (c Counts, err error) {
	next := func() (n uint64) {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			b, err = nil, errDamaged
			return 0
		}
		b = b[size:]
		return n
	}
	used := next()
	if used > uint64(len(b)) {
		return Counts{}, errDamaged
	}
	for n := range used {
		if value := next(); n < uint64(len(c.values)) {
			c.values[n] = value
		}
	}
	for bucket := uint64(0); len(b) > 0; bucket++ {
		empty := next()
		if empty >= bucketCount || bucket+empty >= bucketCount {
			return Counts{}, errDamaged
		}
		bucket += empty
		c.times[bucket] = next()
	}
	if err != nil {
		return Counts{}, err
	}
	return c, nil
}
