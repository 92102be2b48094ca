package proxy

import (
	"fmt"
	"sync/atomic"
)

// state is one value of a state machine.
type state[S any] interface {
	~int32
	fmt.Stringer
	// canBecome reports whether next may follow.
	canBecome(next S) bool
}

// progress is a state machine that one goroutine advances while others observe
// it. The zero value is in state 0.
type progress[S state[S]] struct{ current atomic.Int32 }

// observed is a progress as goroutines see it that don't own it.
type observed[S state[S]] interface{ load() S }

// illegalTransition is called instead of a transition that must not happen.
var illegalTransition = func(fmt.Stringer, fmt.Stringer) {}

func (p *progress[S]) load() S { return S(p.current.Load()) }

// advance moves on to next. If that may not follow, the state stays.
func (p *progress[S]) advance(next S) {
	now := p.load()
	if !now.canBecome(next) {
		illegalTransition(now, next)
		return
	}
	p.current.Store(int32(next))
}

// reset returns to state 0.
func (p *progress[S]) reset() { p.current.Store(0) }
