package record

import (
	"slices"
	"sync"

	"github.com/sidehook/sidehook/rules"
)

// flight is a watched exchange between its beginning and its end.
type flight struct {
	ticket uint64
	match  rules.Match
	// alone tells that nothing else of the participant that disturbs it was in
	// flight at any time so far.
	alone bool
	// waited tells that an event waits for this exchange to end.
	waited bool
	// forgotten tells that its participant has been forgotten since it began.
	forgotten bool
}

// flights knows what is in flight, by participant. It is as large as the
// number of watched exchanges under way, which the proxy bounds.
type flights struct {
	mu            sync.Mutex
	lastTicket    uint64
	byParticipant map[string][]*flight
}

func newFlights() *flights { return &flights{byParticipant: map[string][]*flight{}} }

// begin takes note of an exchange on its way to the app.
func (f *flights) begin(match rules.Match) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lastTicket++
	one := &flight{ticket: f.lastTicket, match: match, alone: true}
	participant := match.Participant()
	others := f.byParticipant[participant]
	for _, other := range others {
		if match.Disturbs(other.match) {
			one.alone, other.alone = false, false
		}
	}
	f.byParticipant[participant] = append(others, one)
	return one
}

// end takes the exchange off and calls then before any other can begin or end,
// so that what then sees in flight is what is.
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
}

// awaitAnswers gives the tickets of the journey's answers in flight, for an
// event to wait for. It is to be called within end.
func (f *flights) awaitAnswers(journey rules.Key) []uint64 {
	var tickets []uint64
	for _, other := range f.byParticipant[journey.Participant] {
		if other.match.Says() == rules.AnsweredItem && other.match.Journey() == journey {
			other.waited = true
			tickets = append(tickets, other.ticket)
		}
	}
	return tickets
}

// forget marks the exchanges in flight that are of a participant's journeys that
// isOne names, and calls then before any of them can end.
func (f *flights) forget(participant string, isOne func(rules.Key) bool, then func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.byParticipant[participant] {
		if isOne(one.match.Journey()) {
			one.forgotten = true
		}
	}
	then()
}
