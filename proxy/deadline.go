package proxy

import (
	"sync/atomic"
	"time"
)

// epoch is where clock begins.
var epoch = time.Now()

// clock is the time since epoch; reading it costs half of time.Now.
func clock() time.Duration { return time.Since(epoch) }

// bound is a deadline that is moved rarely, because moving it costs as much as
// parsing a head. Nobody else may set it, or it has to forget.
type bound struct {
	till atomic.Int64 // by clock
}

// extend returns where to move the deadline so that it leaves at least d, and at
// most half as much again; false where the present one does.
func (b *bound) extend(d time.Duration) (till time.Time, moves bool) {
	now := clock()
	if time.Duration(b.till.Load())-now >= d {
		return time.Time{}, false
	}
	moved := now + d + d/2
	b.till.Store(int64(moved))
	return epoch.Add(moved), true
}

// forget is for when somebody else has set the deadline.
func (b *bound) forget() { b.till.Store(0) }
