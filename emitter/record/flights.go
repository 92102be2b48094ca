package record

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// flight is a matched exchange in flight.
type flight struct {
	ticket uint64
	match  rules.Match
	state  flightState
	// began is when the request came.
	began time.Time
	// ended is when the app had responded to a navigation, and number that of the page
	// that it led to. ended is zero before.
	ended  time.Time
	number int
	// wake gets a value when it may be the navigation's turn; nil unless it waits.
	wake chan struct{}
}

// flightState is what has happened during an exchange.
//
//	alone ─► disturbed ─► awaited ─► forgotten
//
// Each state may be skipped; none is left towards an earlier one.
type flightState int

const (
	// flightAlone: nothing that disturbs the exchange was in flight with it so far.
	flightAlone flightState = iota
	// flightDisturbed: the participant may have moved on by another exchange.
	flightDisturbed
	// flightAwaited: an event waits for the exchange to end.
	flightAwaited
	// flightForgotten: the participant has been forgotten; the exchange is not recorded.
	flightForgotten
)

// String returns the state's name.
func (s flightState) String() string {
	switch s {
	case flightAlone:
		return "alone"
	case flightDisturbed:
		return "disturbed"
	case flightAwaited:
		return "awaited"
	case flightForgotten:
		return "forgotten"
	}
	return fmt.Sprintf("flightState(%d)", int(s))
}

// enter moves the flight on to a state, unless it is past that already.
func (f *flight) enter(state flightState) { f.state = max(f.state, state) }

// flights has the matched exchanges in flight, by participant. The proxy bounds
// their number.
type flights struct {
	mu            sync.Mutex
	lastTicket    uint64
	byParticipant map[string][]*flight
	// memories are those that have ended; nil unless there are several replicas.
	memories *memories
}

// newFlights begins with a ticket at random: an earlier process may have left events
// that wait for tickets of its own.
func newFlights() *flights {
	return &flights{lastTicket: rand.Uint64N(1 << 50), byParticipant: map[string][]*flight{}}
}

// begin adds an exchange on its way to the app, if its path names the participant.
func (f *flights) begin(match rules.Match) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lastTicket++
	one := &flight{ticket: f.lastTicket, match: match, began: time.Now()}
	participant := match.Participant()
	if participant == "" { // whom, only the response or a cookie says
		return one
	}
	others := f.byParticipant[participant]
	for _, other := range others {
		if match.Disturbs(other.match) {
			one.enter(flightDisturbed)
			other.enter(flightDisturbed)
		}
	}
	f.byParticipant[participant] = append(others, one)
	return one
}

// end removes the exchange and calls then before any other begins or ends, so
// that then sees what is in flight. then must neither block nor log: every matched
// request needs the lock that it runs under.
func (f *flights) end(one *flight, then func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	participant := one.match.Participant()
	others := slices.DeleteFunc(f.byParticipant[participant], func(other *flight) bool { return other == one })
	if len(others) == 0 {
		delete(f.byParticipant, participant)
	} else {
		f.byParticipant[participant] = others
	}
	then()
	if f.memories != nil {
		f.memories.add(memoryOf(one, time.Now()))
	}
	if one.match.Kind() == rules.Navigated {
		f.wakeOthers(one)
	}
}

// awaitAnswers returns the tickets of the journey's answers in flight, for an
// event to wait for, and their items. It is called within end.
func (f *flights) awaitAnswers(journey rules.Key) (tickets []uint64, items []string) {
	for _, other := range f.byParticipant[journey.Participant] {
		if other.match.Kind() == rules.Answered && other.match.Journey() == journey {
			other.enter(flightAwaited)
			tickets, items = append(tickets, other.ticket), append(items, other.match.Item())
		}
	}
	return tickets, items
}

// sort divides journeys into those whose participant has an exchange in flight and the
// others, and calls then before any exchange begins or ends. An exchange without a
// participant in its path is nobody's.
func (f *flights) sort(journeys []rules.Key, then func(flying, others []rules.Key)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var flying, others []rules.Key
	for _, key := range journeys {
		if len(f.byParticipant[key.Participant]) > 0 {
			flying = append(flying, key)
		} else {
			others = append(others, key)
		}
	}
	then(flying, others)
}

// forget has those exchanges in flight not recorded that are of a participant's
// journeys that isOne selects. It calls then before any of them can end.
func (f *flights) forget(participant string, isOne func(rules.Key) bool, then func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.byParticipant[participant] {
		if isOne(one.match.Journey()) {
			one.enter(flightForgotten)
		}
	}
	then()
}
