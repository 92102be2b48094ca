package record

import (
	"strings"
	"testing"
)

func TestAFlightNeverReturnsToAnEarlierState(t *testing.T) {
	states := []flightState{flightAlone, flightDisturbed, flightAwaited, flightForgotten}
	for i, from := range states {
		for j, to := range states {
			f := &flight{state: from}
			f.enter(to)
			if want := states[max(i, j)]; f.state != want {
				t.Errorf("%s entering %s is %s, want %s", from, to, f.state, want)
			}
		}
	}
}

func TestExchangesOfOneParticipantDisturbEachOther(t *testing.T) {
	profile := decsysProfile(t)
	f := func(first, second string, want flightState) {
		t.Helper()
		var both [2]*flight
		flights := newFlights()
		for i, request := range []string{first, second} {
			method, target, _ := strings.Cut(request, " ")
			match, ok := profile.Match([]byte(method), []byte(target))
			if !ok {
				t.Fatalf("%s matches no route", request)
			}
			both[i] = flights.begin(match)
		}
		for _, one := range both {
			if one.state != want {
				t.Errorf("%s and %s: %s, want %s", first, second, one.state, want)
			}
		}
	}
	f("GET /api/progress/5/3/p", "GET /api/progress/5/3/p", flightAlone)
	f("GET /api/progress/5/3/p", "GET /api/progress/5/3/q", flightAlone)
	f("GET /api/progress/5/3/p", "POST /api/progress/5/3/p/next", flightDisturbed)
	f("GET /api/progress/5/3/p", "POST /api/log/3/p/one/decsys.platform.PAGE_LOAD", flightDisturbed)
}

func TestAnEventAwaitsTheAnswersOfItsJourneyOnly(t *testing.T) {
	profile, flights := decsysProfile(t), newFlights()
	begin := func(target string) *flight {
		match, ok := profile.Match([]byte("POST"), []byte(target))
		if !ok {
			t.Fatalf("%s matches no route", target)
		}
		return flights.begin(match)
	}
	answer := begin("/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")
	others := []*flight{
		begin("/api/log/4/p/i1/decsys.platform.COMPONENT_RESULTS"),
		begin("/api/log/3/q/i1/decsys.platform.COMPONENT_RESULTS"),
		begin("/api/log/3/p/one/decsys.platform.PAGE_LOAD"),
	}
	tickets, items := flights.awaitAnswers(answer.match.Journey())
	if len(tickets) != 1 || tickets[0] != answer.ticket || items[0] != "i1" || answer.state != flightAwaited {
		t.Errorf("awaits %v, and the answer is %s", tickets, answer.state)
	}
	for _, other := range others {
		if other.state == flightAwaited {
			t.Errorf("%s of %v is awaited too", other.match.Kind(), other.match.Journey())
		}
	}
}
