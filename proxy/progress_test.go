package proxy

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func init() { // in no test may an exchange take a way that the tables forbid
	illegalTransition = func(from, to fmt.Stringer) {
		fmt.Fprintf(os.Stderr, "an exchange went from %T %v to %v\n", from, from, to)
		os.Exit(2)
	}
}

func TestAnUploadMakesOnlyItsTransitions(t *testing.T) {
	equal(t, "transitions", transitions[uploadState](len(uploadStates)), `
idle -> sending read
sending -> read malformed abandoned
read -> sent
`)
}

func TestAResponseMakesOnlyItsTransitions(t *testing.T) {
	equal(t, "transitions", transitions[responseState](len(responseStates)), `
awaited -> begun relaying replaced abandoned
begun -> begun relaying replaced abandoned
relaying -> complete switched truncated
complete -> truncated
switched -> truncated
`)
}

func TestAParticipantOnlyLeaves(t *testing.T) {
	equal(t, "transitions", transitions[presence](int(gone)+1), `
present -> done sending gone
done sending -> gone
`)
}

// transitions lists the states that others may follow, and which.
func transitions[S state[S]](states int) string {
	text := "\n"
	for from := range S(states) {
		var next []string
		for to := range S(states) {
			var p progress[S]
			p.current.Store(int32(from))
			if from.canBecome(to) {
				p.advance(to)
				next = append(next, p.load().String())
			}
		}
		if len(next) > 0 {
			text += from.String() + " -> " + strings.Join(next, " ") + "\n"
		}
	}
	return text
}

func TestForbiddenTransitionChangesNothing(t *testing.T) {
	defer func(f func(from, to fmt.Stringer)) { illegalTransition = f }(illegalTransition)
	var seen string
	illegalTransition = func(from, to fmt.Stringer) { seen = from.String() + " -> " + to.String() }
	var p progress[uploadState]
	p.advance(uploadSent)
	equal(t, "state", p.load(), uploadIdle)
	equal(t, "illegal transition", seen, "idle -> sent")
}

func TestBrokenResponseIsTruncatedOrAbandoned(t *testing.T) {
	for s := range responseState(len(responseStates)) {
		if next := s.broken(); s != responseTruncated && s != responseReplaced && s != responseAbandoned && !s.canBecome(next) {
			t.Errorf("%v can't become %v", s, next)
		}
	}
}
