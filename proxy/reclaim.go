package proxy

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// reclaimAfter is how long after the end of a request memory is looked at.
	reclaimAfter = 2 * time.Second
	// reclaimFrom is how much more than after the last time the process has to hold
	// for a collection to be worth its time, in bytes.
	reclaimFrom = 8 << 20
	// reclaimConns is how many connections fewer are as good a reason.
	reclaimConns = 1000
	// busy is how many requests within reclaimAfter make the runtime collect by itself.
	busy = 1000
)

// reclaimer returns memory to the system once there are few requests. The runtime
// collects when memory is allocated, so without requests it would keep for minutes what
// a burst of them has taken: pooled buffers, and stacks of goroutines that only wait.
type reclaimer struct {
	requests func() uint64 // how many there have been
	open     func() int    // how many connections there are

	isArmed atomic.Bool
	mu      sync.Mutex
	timer   *time.Timer // of the next look; nil until the first
	closed  bool
	seen    uint64 // requests at the last look
	held    uint64 // bytes after the last collection
	served  int    // connections at the last collection
}

// arm makes sure that memory is looked at within reclaimAfter.
func (r *reclaimer) arm() {
	if r.isArmed.Load() || !r.isArmed.CompareAndSwap(false, true) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
	case r.timer == nil:
		r.timer = time.AfterFunc(reclaimAfter, r.look)
	default:
		r.timer.Reset(reclaimAfter)
	}
}

// close ends looking, and waits for a look under way.
func (r *reclaimer) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.timer != nil {
		r.timer.Stop()
	}
}

// look collects if there is enough to collect, or looks again later.
func (r *reclaimer) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	requests := r.requests()
	isBusy := requests-r.seen > busy
	r.seen = requests
	switch {
	case r.closed:
	case isBusy:
		r.timer.Reset(reclaimAfter)
	default:
		r.reclaim()
		r.isArmed.Store(false)
		if r.requests() != requests && r.isArmed.CompareAndSwap(false, true) { // meanwhile
			r.timer.Reset(reclaimAfter)
		}
	}
}

func (r *reclaimer) reclaim() {
	open := r.open()
	if heldMemory() < r.held+reclaimFrom && open+reclaimConns > r.served {
		return
	}
	runtime.GC() // pools give up what they hold in two collections
	debug.FreeOSMemory()
	r.held, r.served = heldMemory(), open
}

// heldMemory returns how many bytes the runtime holds.
func heldMemory() uint64 {
	held := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(held)
	return held[0].Value.Uint64() - held[1].Value.Uint64()
}
