package rules

import (
	"testing"
	"time"
)

// chained observes that a cookie names the participant on a page, and returns them.
func chained(t *testing.T, fold Fold, cookie, renamed, knownAs string) string {
	t.Helper()
	step := fold.Observe(Observation{
		Kind: Reached, Journey: Key{"7", cookie}, Page: &Page{ID: "1"}, At: time.Now(),
		IsDigested: true, IsChained: true, Renamed: renamed, KnownAs: knownAs,
	})
	return step.Journey.Participant
}

func TestARenamedCookieNamesTheSameParticipant(t *testing.T) {
	fold := Fold{Journeys: NewJourneysInMemory()}
	first := chained(t, fold, "a", "", "")
	for _, cookies := range [][2]string{{"a", "b"}, {"b", "c"}, {"c", ""}, {"b", ""}, {"a", ""}, {"c", "d"}, {"d", "d"}} {
		if got := chained(t, fold, cookies[0], cookies[1], ""); got != first {
			t.Errorf("%v: participant %s, want %s", cookies, got, first)
		}
	}
	if got := chained(t, fold, "e", "", ""); got == first {
		t.Error("another cookie names the same participant")
	}
}

func TestWhoResumesUnderANameIsWhoSavedUnderIt(t *testing.T) {
	fold := Fold{Journeys: NewJourneysInMemory()}
	saved := chained(t, fold, "a", "", "my trip")
	other := chained(t, fold, "x", "", "")
	if other == saved {
		t.Fatal("two cookies name one participant")
	}
	if got := chained(t, fold, "x", "y", "my trip"); got != saved {
		t.Errorf("resumed as %s, want %s", got, saved)
	}
	if got := chained(t, fold, "y", "", ""); got != saved {
		t.Errorf("after that, the cookie names %s, want %s", got, saved)
	}
	if got := chained(t, fold, "b", "", "another trip"); got == saved || got == other {
		t.Errorf("another name is that of %s", got)
	}
}

func TestDigestsDifferBetweenStores(t *testing.T) {
	ids := map[string]bool{}
	for _, key := range []string{"", "one", "two"} {
		ids[chained(t, Fold{Journeys: NewJourneysInMemory(), Key: key}, digest("cookie"), "", "")] = true
	}
	if len(ids) != 3 {
		t.Errorf("three stores have the ids %v", ids)
	}
}
