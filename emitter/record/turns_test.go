package record

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules"
)

// read is a navigation whose response is read at a time, and when it came.
type read struct {
	name        string
	ended, read time.Duration
	// page is the number of the page that it led to, 0 at the end of the survey.
	page int
}

func TestNavigationsAreRecordedInTheOrderInWhichTheAppRespondedToThem(t *testing.T) {
	const ms = time.Millisecond
	f := func(what string, reads []read, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, turnsOf(t, reads)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	f("read in the wrong order", []read{{"second", 10 * ms, 11 * ms, 3}, {"first", 5 * ms, 12 * ms, 4}}, "first", "second")
	f("at the same instant", []read{{"second", 5 * ms, 6 * ms, 3}, {"first", 5*ms + 1, 7 * ms, 2}}, "first", "second")
	f("at the same instant, one at the end", []read{{"last", 5 * ms, 5 * ms, 0}, {"first", 5*ms + 1, 6 * ms, 12}}, "first", "last")
	f("three", []read{{"third", 5*ms + 1, 5*ms + 1, 9}, {"first", 5 * ms, 6 * ms, 7}, {"second", 5*ms + 2, 7 * ms, 8}}, "first", "second", "third")
	f("three in two groups", []read{{"third", 9 * ms, 9 * ms, 1}, {"second", 5*ms + 1, 10 * ms, 7}, {"first", 5 * ms, 11 * ms, 6}}, "first", "second", "third")
	f("beyond the limit", []read{{"late", 5 * ms, 5*ms + turnLimit + 1, 2}, {"first", 5 * ms, 5 * ms, 3}}, "first", "late")
}

// turnsOf returns the names in the order of their turns.
func turnsOf(t *testing.T, reads []read) (order []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start, flights := time.Now(), newFlights()
		match, ok := decsysProfile(t).Match([]byte("POST"), []byte("/api/progress/5/3/p/next"))
		if !ok {
			t.Fatal("no route matches")
		}
		var running sync.WaitGroup
		for _, one := range reads {
			flight := flights.begin(match)
			o := &rules.Observation{Kind: rules.Navigated, At: start.Add(one.ended)}
			if one.page > 0 {
				o.Page = &rules.Page{Number: one.page}
			}
			running.Go(func() {
				time.Sleep(one.read)
				flights.awaitTurn(flight, o)
				flights.end(flight, func() { order = append(order, one.name) })
			})
		}
		running.Wait()
	})
	return order
}

func TestANavigationDoesNotWaitForOthers(t *testing.T) {
	f := func(what string, targets ...string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			profile, flights := decsysProfile(t), newFlights()
			for _, target := range slices.Backward(targets) {
				match, ok := profile.Match([]byte("POST"), []byte(target))
				if !ok {
					t.Fatalf("no route matches %s", target)
				}
				one, begun := flights.begin(match), time.Now()
				if target != targets[0] {
					continue
				}
				if flights.awaitTurn(one, &rules.Observation{At: begun}); time.Since(begun) > 0 {
					t.Errorf("%s: it waited %v", what, time.Since(begun))
				}
			}
		})
	}
	f("alone", "/api/progress/5/3/p/next")
	f("of another participant", "/api/progress/5/3/p/next", "/api/progress/5/3/q/next")
	f("of another survey", "/api/progress/5/3/p/next", "/api/progress/6/4/p/next")
	f("an answer", "/api/progress/5/3/p/next", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")
}

func TestTwoClicksAtOnceGiveTheStepsOfTheApp(t *testing.T) {
	s := newScenario(t)
	s.get(showPage1)
	const next = "/api/progress/5/3/p/next"
	first, second := page(showPage2), page(showPage3)
	endOfFirst, endOfSecond := s.begin("POST", next), s.begin("POST", next)
	ended := time.Now()
	first.Ended, second.Ended = ended, ended
	var running sync.WaitGroup
	running.Go(func() { endOfSecond(second) })
	running.Go(func() { endOfFirst(first) })
	running.Wait()
	if got, want := s.summary(), "one>two, two>three"; got != want {
		t.Errorf("events %q, want %q", got, want)
	}
}

// An app that responds late, or a sidehook that stood still.
func TestANavigationIsToldThoughTheParticipantReloadsAndGoesOnBeforeItEnds(t *testing.T) {
	s := newScenario(t)
	s.get(showPage1)
	const next, log = "/api/progress/5/3/p/next", "/api/log/3/p/"
	first := s.begin("POST", next)
	time.Sleep(apart)
	s.get(showPage2)
	s.begin("POST", log+"two/decsys.platform.PAGE_LOAD")(rules.Exchange{Status: 204, RequestBody: []byte("{}")})
	time.Sleep(apart)
	second := s.begin("POST", next)
	second(page(showPage3))
	time.Sleep(time.Second)
	first(page(showPage2))
	if got, want := s.summary(), "two>three, one>two recovered"; got != want {
		t.Errorf("events %q, want %q", got, want)
	}
}

func TestManyNavigationsAtOnceDoNotWaitForEachOther(t *testing.T) {
	f := func(navigations int, want time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			flights := newFlights()
			match, ok := decsysProfile(t).Match([]byte("POST"), []byte("/api/progress/5/3/p/next"))
			if !ok {
				t.Fatal("no route matches")
			}
			one, begun := flights.begin(match), time.Now()
			for range navigations - 1 {
				flights.begin(match)
			}
			if flights.awaitTurn(one, &rules.Observation{At: begun}); time.Since(begun) != want {
				t.Errorf("one of %d waited %v, want %v", navigations, time.Since(begun), want)
			}
		})
	}
	f(maxTurns, turnLimit)
	f(maxTurns+1, 0)
}
