package record

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sidehook/sidehook/rules"
)

// sawAt is a sighting of p that a replica saw, so many microseconds after some time.
func sawAt(from string, k uint64, micros int) *seen {
	return &seen{from: from, k: k, number: k, participant: "p", at: time.Unix(1_800_000_000, 0).Add(time.Duration(micros) * time.Microsecond)}
}

// clickAt is a navigation to the page with a number, 0 for the end.
func clickAt(from string, k uint64, micros, page int) *seen {
	s := sawAt(from, k, micros)
	s.Observation = &rules.Observation{Kind: rules.Navigated}
	if page > 0 {
		s.Observation.Page = &rules.Page{Number: page}
	}
	return s
}

func TestSightingsAreFoldedInTheOrderInWhichTheAppResponded(t *testing.T) {
	f := func(what, want string, sightings ...*seen) {
		t.Helper()
		var got []string
		for _, s := range sequence(sightings) {
			got = append(got, fmt.Sprint(s.from, s.k))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", what, got, want)
		}
	}
	f("by time", "b1 a1 b2", sawAt("a", 1, 2000), sawAt("b", 1, 1000), sawAt("b", 2, 3000))
	f("as their replica saw them", "a1 a2 b1", sawAt("a", 1, 2000), sawAt("a", 2, 1000), sawAt("b", 1, 2500))
	f("though they are read in another order", "a1 a2", sawAt("a", 2, 2000), sawAt("a", 1, 1000))
	f("two clicks at the same instant", "b1 a1", clickAt("a", 1, 1000, 3), clickAt("b", 1, 1500, 2))
	f("the end is last", "b1 a1", clickAt("a", 1, 1000, 0), clickAt("b", 1, 1500, 2))
	f("two clicks further apart", "a1 b1", clickAt("a", 1, 1000, 3), clickAt("b", 1, 2000, 2))
	f("at the same time", "a1 b2", sawAt("b", 2, 1000), sawAt("a", 1, 1000))
}

func TestSequenceKeepsEveryReplicasOrderAndNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []*seen
		for i := range rapid.IntRange(0, 30).Draw(t, "sightings") {
			from := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "from")
			s := clickAt(from, uint64(i+1), rapid.IntRange(0, 20).Draw(t, "at")*300, rapid.IntRange(0, 4).Draw(t, "page"))
			s.participant = rapid.SampledFrom([]string{"p", "q"}).Draw(t, "participant")
			all = append(all, s)
		}
		ordered := sequence(slices.Clone(all))
		if len(ordered) != len(all) {
			t.Fatalf("%d of %d are left", len(ordered), len(all))
		}
		lastK, last, isOver := map[string]uint64{}, map[string]time.Time{}, map[string]bool{}
		for i, s := range ordered {
			if s.k <= lastK[s.participant+s.from] || s.at.Before(last[s.participant]) || isOver[s.participant] {
				t.Fatalf("%s%d of %s is at the wrong place", s.from, s.k, s.participant)
			}
			lastK[s.participant+s.from], last[s.participant] = s.k, s.at
			isOver[s.participant] = i+1 < len(ordered) && ordered[i+1].participant != s.participant
		}
	})
}
