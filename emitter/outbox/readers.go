package outbox

import (
	"context"
	"sync"
)

// readers counts views that have not ended, so that somebody can wait for those
// that were taken before a moment.
type readers struct {
	mu   sync.Mutex
	open int
	// none is closed once all have ended; nil until somebody waits for that.
	none chan struct{}
}

// begin counts another view.
func (r *readers) begin() *readers {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	return r
}

// end counts a view that has ended.
func (r *readers) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open--; r.open == 0 && r.none != nil {
		close(r.none)
	}
}

// ended is closed once all have ended. It is called once, and no view is taken
// after that.
func (r *readers) ended() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.none = make(chan struct{}); r.open == 0 {
		close(r.none)
	}
	return r.none
}

// waitForReaders waits until all views that were taken before have ended, or ctx has.
func (e *engine) waitForReaders(ctx context.Context) error {
	e.mu.Lock()
	before := e.readers
	e.readers = &readers{}
	e.mu.Unlock()
	select {
	case <-before.ended():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
