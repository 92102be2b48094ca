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
	// maxTurns is how many navigations of a journey wait for each other: nobody clicks
	// more often at once, and others could keep the flights busy.
	maxTurns = 8
	// sameInstant is how far apart two responses must end for the time to tell which
	// came first. Closer ones may be read in either order.
	sameInstant = time.Millisecond
)

// awaitTurn returns once all navigations of the same journey have been recorded
// that the app responded to before one: two clicks at once are two requests on two
// connections, which may be read in either order. It waits turnLimit at most for
// those that the app has not responded to yet.
func (f *flights) awaitTurn(one *flight, o *rules.Observation) {
	if f.enter(one, o) {
		return
	}
	limit := time.NewTimer(turnLimit)
	defer limit.Stop()
	for {
		select {
		case <-limit.C:
			return
		case <-one.wake:
		}
		f.mu.Lock()
		isTurn := f.isTurn(one)
		f.mu.Unlock()
		if isTurn {
			return
		}
	}
}

// enter notes that the app has responded to a navigation, and reports whether it is
// its turn. If it is not, one.wake tells of each change.
func (f *flights) enter(one *flight, o *rules.Observation) (isTurn bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one.ended, one.number = o.At, math.MaxInt
	if o.Page != nil {
		one.number = o.Page.Number
	}
	if f.isTurn(one) {
		return true
	}
	one.wake = make(chan struct{}, 1)
	f.wakeOthers(one) // they may have waited for this one
	return false
}

// wakeOthers wakes the participant's navigations that wait for their turn.
func (f *flights) wakeOthers(one *flight) {
	for _, other := range f.byParticipant[one.match.Participant()] {
		select {
		case other.wake <- struct{}{}: // blocks for nil, which does not wait
		default:
		}
	}
}

// isTurn reports whether one is the next navigation of its journey to be recorded.
func (f *flights) isTurn(one *flight) bool {
	var ended []*flight
	navigations := 0
	for _, other := range f.byParticipant[one.match.Participant()] {
		if other.match.Kind() != rules.Navigated || other.match.Journey() != one.match.Journey() {
			continue
		}
		navigations++
		if !other.ended.IsZero() {
			ended = append(ended, other)
		}
	}
	switch {
	case navigations > maxTurns, len(ended) == 0:
		return true
	case len(ended) < navigations:
		return false
	}
	return firstEnded(ended) == one
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
