package record

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/sidehook/sidehook/rules"
)

const (
	// turnLimit is how long a navigation waits for others that are in flight with it.
	turnLimit = 100 * time.Millisecond
	// sameInstant is how far apart two responses must end for the time to tell which
	// came first. Closer ones may be read in either order.
	sameInstant = time.Millisecond
)

// awaitTurn returns once all navigations of the same journey have been recorded
// that the app responded to before one: two clicks at once are two requests on two
// connections, which may be read in either order. It waits turnLimit at most for
// those that the app has not responded to yet.
func (f *flights) awaitTurn(one *flight, o *rules.Observation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one.ended, one.number = o.At, math.MaxInt
	if o.Page != nil {
		one.number = o.Page.Number
	}
	if f.isTurn(one) {
		return
	}
	isLate := false
	timer := time.AfterFunc(turnLimit, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		isLate = true
		f.turn.Broadcast()
	})
	defer timer.Stop()
	f.turn.Broadcast() // others may have waited for this one
	for !isLate && !f.isTurn(one) {
		f.turn.Wait()
	}
}

// isTurn reports whether one is the next navigation of its journey to be recorded.
func (f *flights) isTurn(one *flight) bool {
	var ended []*flight
	for _, other := range f.byParticipant[one.match.Participant()] {
		switch {
		case other.match.Kind() != rules.Navigated || other.match.Journey() != one.match.Journey():
		case other.ended.IsZero():
			return false
		default:
			ended = append(ended, other)
		}
	}
	return len(ended) == 0 || firstEnded(ended) == one
}

// firstEnded returns the flight that ended first. Where the times don't tell, it is
// the one that led to the page with the lowest number; the end of the survey is last.
func firstEnded(ended []*flight) *flight {
	slices.SortFunc(ended, func(a, b *flight) int { return a.ended.Compare(b.ended) })
	together := 1
	for together < len(ended) && ended[together].ended.Sub(ended[together-1].ended) < sameInstant {
		together++
	}
	return slices.MinFunc(ended[:together], func(a, b *flight) int {
		return cmp.Or(cmp.Compare(a.number, b.number), a.ended.Compare(b.ended))
	})
}
