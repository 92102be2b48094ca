package outbox

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules/config"
)

func TestPartsOfAJourneyAreItsOwn(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		for _, key := range []string{"3\x00ann", "3\x00ann\x00", "3\x00an"} {
			tx.PutJourney(key, []byte("{}"), seen(at(0)))
			for _, name := range []string{"p1", "a1", "p2", "p1\x00"} {
				tx.PutJourneyPart(key, name, []byte(key+name))
			}
		}
		tx.DeleteJourneyPart("3\x00ann", "p2")
	})
	do(t, s, func(tx *Tx) {
		if diff := cmp.Diff([]string{"p1", "p1\x00"}, tx.JourneyParts("3\x00ann", "p")); diff != "" {
			t.Errorf("parts (-want +got):\n%s", diff)
		}
		if got := string(tx.JourneyPart("3\x00an", "p2")); got != "3\x00anp2" {
			t.Errorf("another journey's part is %q", got)
		}
		tx.DropJourney("3\x00ann")
		if left := tx.JourneyParts("3\x00ann", ""); len(left) != 0 {
			t.Errorf("a dropped journey has left %q", left)
		}
		if left := tx.JourneyParts("3\x00ann\x00", ""); len(left) != 4 {
			t.Errorf("another journey has %d parts, want 4", len(left))
		}
	})
}

func TestPartsWithoutAHeadAreDroppedToo(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		before := tx.ledger.bytes[shareJourneys]
		tx.PutJourneyPart("3\x00ann", "w1", []byte("an observation that may not wait"))
		if tx.DropJourney("3\x00ann") {
			t.Error("there was a journey")
		}
		if left := tx.JourneyParts("3\x00ann", ""); len(left) != 0 || tx.ledger.bytes[shareJourneys] != before {
			t.Errorf("%q and %d bytes are left", left, tx.ledger.bytes[shareJourneys]-before)
		}
	})
}

func TestJourneyThatIsTheSameIsNotWritten(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	f := func(name, head string, last time.Time, want bool) {
		t.Helper()
		do(t, s, func(tx *Tx) {
			if got := tx.PutJourney("3\x00ann", []byte(head), seen(last)); got != want {
				t.Errorf("%s: written is %v, want %v", name, got, want)
			}
		})
	}
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	f("a new one", "a", noon, true)
	f("the same head", "a", noon.Add(time.Minute), false)
	f("another head", "b", noon.Add(time.Minute), true)
	f("an hour later", "b", noon.Add(time.Minute+time.Hour), true)
}

func TestJourneyIsInItsGroup(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	f := func(name string, change func(tx *Tx), want ...string) {
		t.Helper()
		do(t, s, change)
		do(t, s, func(tx *Tx) {
			var got []string
			for key := range tx.view.ascend(bucketJourneyAge, nil, nil) {
				at := ageKey(key)
				got = append(got, fmt.Sprintf("%d %s", at[0]-1, at.journey()))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			kept := tx.ledger
			if tx.recount(); tx.ledger.groups != kept.groups {
				t.Errorf("%s: the groups are counted as %v, and are %v", name, kept.groups, tx.ledger.groups)
			}
		})
	}
	put := func(key, head string, m Mark) func(tx *Tx) {
		return func(tx *Tx) { m.LastExchange = at(0); tx.PutJourney(key, []byte(head), m) }
	}
	f("a small one", put("ann", "1", Mark{Size: 100}), "0 ann")
	f("it leads to an event", put("ann", "2", Mark{Size: 100, HasEvents: true}), "1 ann")
	f("a larger one", put("bob", "1", Mark{Size: lightest + 1}), "1 ann", "2 bob")
	f("the small one grows", put("ann", "3", Mark{Size: 5 * lightest, HasEvents: true}), "2 bob", "5 ann")
	f("the same head, but a larger mark", put("bob", "1", Mark{Size: 1 << 20}), "5 ann", "6 bob")
	f("it is dropped", func(tx *Tx) { tx.DropJourney("bob") }, "5 ann")
}

// One commit drops no more than about maxTrim records, however large journeys are.
func TestLargeJourneysPastTheirRetentionGoInSteps(t *testing.T) {
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	const day = config.Duration(24 * time.Hour)
	do(t, s, func(tx *Tx) {
		for n := range 10 {
			key := fmt.Sprint("3\x00", n)
			tx.PutJourney(key, []byte("{}"), seen(time.Now().AddDate(0, 0, -31)))
			for part := range 100 {
				tx.PutJourneyPart(key, fmt.Sprint(part), []byte("{}"))
			}
		}
		trimmer := trimmer{retention: config.Retention{Journeys: 30 * day}}
		if dropped := trimmer.trimJourneys(tx, maxTrim); dropped != 3*101 {
			t.Errorf("%d records were dropped, want those of 3 journeys", dropped)
		}
	})
	stop()
}

func TestMarksAreOfTheProcessThatMadeThem(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		for _, key := range []string{"a", "b", "c"} {
			tx.MarkUnsettled(key, "first")
		}
		tx.MarkUnsettled("b", "second")
		tx.ClearUnsettled("c")
	})
	do(t, s, func(tx *Tx) {
		if !tx.IsLeftover("a", "second") || tx.IsLeftover("b", "second") || tx.IsLeftover("c", "second") {
			t.Error("want a to be left over, and neither b nor c")
		}
		if diff := cmp.Diff([]string{"b"}, tx.Unsettled("a", 10)); diff != "" {
			t.Errorf("marked after a (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"a"}, tx.Unsettled("", 1)); diff != "" {
			t.Errorf("the first one (-want +got):\n%s", diff)
		}
	})
}
