package record

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestBodiesThatAreReadTogetherAreBounded(t *testing.T) {
	f := func(size, others int, most int64) {
		t.Helper()
		r := newReads()
		var reading, peak atomic.Int64
		var running sync.WaitGroup
		for range others {
			running.Go(func() {
				end := r.begin(size)
				defer end()
				now := reading.Add(1)
				for {
					if before := peak.Load(); now <= before || peak.CompareAndSwap(before, now) {
						break
					}
				}
				reading.Add(-1)
			})
		}
		running.Wait()
		if got := peak.Load(); got > most {
			t.Errorf("%d bodies of %d bytes were read together, want at most %d", got, size, most)
		}
	}
	f(100<<10, 100, maxSmallReads/(100<<10))
	f(largeRead, 100, maxLargeReads/largeRead)
	f(maxLargeReads, 20, 1)
	f(10*maxLargeReads, 20, 1) // more than there is at all
}

func TestJSONWaitsForNothing(t *testing.T) {
	r := newReads()
	end := r.begin(maxLargeReads)
	defer end()
	r.begin(0)()
	r.begin(1)() // nor does a small body wait for a large one
}
