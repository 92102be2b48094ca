package outbox

import (
	"context"
	"sync"
)

// termPhase is what whoever serves the terms of a Store does.
//
//	unserved ──Lead──► ready ──the replica leads──► serving
//	    ▲ ▲              │  ▲                           │
//	    │ └─ctx has ended┘  └──its function returned────┤
//	    └──────────────────ctx has ended────────────────┘
type termPhase int

const (
	termUnserved termPhase = iota
	termReady
	termServing
)

// String returns the phase's name.
func (p termPhase) String() string {
	switch p {
	case termUnserved:
		return "unserved"
	case termReady:
		return "ready"
	case termServing:
		return "serving"
	}
	return "unknown"
}

// terms hands the terms of the writer over to Lead.
type terms struct {
	// wake is called after each change of the phase.
	wake func()

	mu    sync.Mutex
	phase termPhase
	// begun has the context of a term that was begun, end ends it. last is that of the
	// last term.
	begun chan context.Context
	end   context.CancelFunc
	last  context.Context
}

func (t *terms) init(wake func()) {
	t.wake, t.begun, t.end = wake, make(chan context.Context, 1), func() {}
}

// serve calls term for each term until ctx ends.
func (t *terms) serve(ctx context.Context, term func(context.Context)) {
	for ctx.Err() == nil {
		t.set(termReady)
		select {
		case one := <-t.begun:
			both, cancel := context.WithCancel(ctx)
			stop := context.AfterFunc(one, cancel)
			term(both)
			stop()
			cancel()
		case <-ctx.Done():
		}
	}
	t.set(termUnserved)
}

func (t *terms) set(p termPhase) {
	t.mu.Lock()
	t.phase = p
	t.mu.Unlock()
	t.wake()
}

// is reports whether a phase is the present one.
func (t *terms) is(p termPhase) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase == p
}

// begin begins a term, unless nobody is ready for one.
func (t *terms) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase != termReady {
		return false
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.phase, t.end, t.last = termServing, cancel, ctx
	t.begun <- ctx
	return true
}

// current returns the context of the term, nil outside of one.
func (t *terms) current() context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase != termServing || t.last.Err() != nil {
		return nil
	}
	return t.last
}

// finish ends the term.
func (t *terms) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end()
	select {
	case <-t.begun: // before Lead took it
		t.phase = termReady
	default:
	}
}
