package rules

import (
	"strings"
	"testing"
	"time"
)

// chained observes that a cookie names the participant on a page, and returns them.
func chained(t *testing.T, fold Fold, cookie, renamed string) string {
	t.Helper()
	step := fold.Observe(Observation{
		Kind: Reached, Journey: Key{"7", cookie}, Page: &Page{ID: "1"}, At: time.Now(),
		IsDigested: true, IsChained: true, Renamed: renamed,
	})
	return step.Journey.Participant
}

func TestARenamedCookieNamesTheSameParticipant(t *testing.T) {
	fold := Fold{Journeys: NewJourneysInMemory()}
	first := chained(t, fold, "a", "")
	for _, cookies := range [][2]string{{"a", "b"}, {"b", "c"}, {"c", ""}, {"b", ""}, {"a", ""}, {"c", "d"}, {"d", "d"}} {
		if got := chained(t, fold, cookies[0], cookies[1]); got != first {
			t.Errorf("%v: participant %s, want %s", cookies, got, first)
		}
	}
	if got := chained(t, fold, "e", ""); got == first {
		t.Error("another cookie names the same participant")
	}
}

// saving calls a fold with observations of who names themself in survey 7.
type saving struct {
	Fold
	t *testing.T
}

func newSaving(t *testing.T) saving { return saving{Fold{Journeys: NewJourneysInMemory()}, t} }

// on observes a cookie's participant on a page, and returns them. "resumed NAME" says
// that they resumed under a name, and "saved NAME" that they saved under it.
func (s saving) on(page, cookie, under string) string {
	o := Observation{Kind: Reached, Journey: Key{"7", cookie}, Page: &Page{ID: page}, At: time.Now(), IsDigested: true, IsChained: true}
	how, name, _ := strings.Cut(under, " ")
	o.KnownAs = name
	if how == "resumed" {
		o.Attempt = resumedAttempt
	}
	return s.Observe(o).Journey.Participant
}

func (s saving) want(got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("the participant is %s, want %s", got, want)
	}
}

func TestWhoResumesUnderANameIsWhoSavedUnderIt(t *testing.T) {
	s := newSaving(t)
	s.want(s.on("1", "a", "saved trip"), "a")
	s.want(s.on("1", "x", ""), "x")
	s.want(s.on("2", "x", "resumed trip"), "a")
	s.want(s.on("3", "x", ""), "a")
	s.want(s.on("1", "b", "resumed another"), "b")
	s.want(s.on("1", "c", "resumed another"), "b")
}

func TestWhoSavesUnderANameIsNobodyElse(t *testing.T) {
	s := newSaving(t)
	s.on("1", "a", "saved trip")
	s.want(s.on("1", "x", "saved trip"), "x")
	s.want(s.on("2", "x", ""), "x")
	s.want(s.on("2", "a", ""), "a")
	s.want(s.on("2", "y", "resumed trip"), "x") // the app took it from them last
}

func TestANameIsOfOneSurvey(t *testing.T) {
	s := newSaving(t)
	s.on("1", "a", "saved trip")
	other := s.Observe(Observation{Kind: Reached, Journey: Key{"8", "x"}, Page: &Page{ID: "1"}, At: time.Now(), KnownAs: "trip", Attempt: resumedAttempt})
	s.want(other.Journey.Participant, "x")
}

func TestANameIsForgottenWhenItNoLongerLeadsAnywhere(t *testing.T) {
	f := func(name string, then func(s saving)) {
		t.Helper()
		s := newSaving(t)
		s.on("1", "a", "saved trip")
		then(s)
		if got := s.on("2", "x", "resumed trip"); got != "x" {
			t.Errorf("%s: the name leads to %s", name, got)
		}
	}
	f("the survey is completed", func(s saving) {
		s.Observe(Observation{Kind: Completed, Journey: Key{"7", "a"}, At: time.Now(), IsDigested: true, IsChained: true})
	})
	f("another attempt has begun", func(s saving) {
		s.Observe(Observation{Kind: Reached, Journey: Key{"7", "a"}, Page: &Page{ID: "1"}, At: time.Now(), Attempt: newAttempt})
	})
	f("it was saved under another name", func(s saving) { s.on("1", "a", "saved journey") })
}

func TestAJourneyThatLostItsNameLeavesItToItsOwner(t *testing.T) {
	s := newSaving(t)
	s.on("1", "a", "saved trip")
	s.on("1", "b", "saved trip")
	s.on("2", "a", "saved mine")
	s.want(s.on("2", "x", "resumed trip"), "b")
	s.want(s.on("2", "y", "resumed mine"), "a")
}

func TestDigestsDifferBetweenStores(t *testing.T) {
	ids := map[string]bool{}
	for _, key := range []string{"", "one", "two"} {
		ids[chained(t, Fold{Journeys: NewJourneysInMemory(), Key: key}, digest("cookie"), "")] = true
	}
	if len(ids) != 3 {
		t.Errorf("three stores have the ids %v", ids)
	}
}
