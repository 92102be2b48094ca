package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// counted returns what a walk has counted as text: "reached 1", "left 1 2s", "completed 5s".
func (w *walk) counted() string {
	var list []string
	for _, c := range w.journey.counts {
		text := c.What.String()
		if c.Page.ID != "" {
			text += " " + c.Page.ID
		}
		if c.Took != nil {
			text += " " + c.Took.String()
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func TestEachPageIsCountedOnce(t *testing.T) {
	f := func(want string, walk func(*walk)) {
		t.Helper()
		w := newWalk()
		walk(w)
		if diff := cmp.Diff(want, w.counted()); diff != "" {
			t.Errorf("counted (-want +got):\n%s", diff)
		}
	}
	f("started, reached 1, left 1 2s, reached 2, left 2 1s, completed 4s", func(w *walk) {
		w.shown("1")
		w.loaded("1")
		w.answer("1", `"a"`)
		w.next("2")
		w.loaded("2")
		w.next("")
		w.next("") // a second click
		w.shown("")
	})
	f("started, reached 1, left 1 1s, reached 2, left 2 1s", func(w *walk) { // back and forth
		w.shown("1")
		w.loaded("1")
		w.next("2")
		w.loaded("2")
		w.next("1")
		w.loaded("1")
		w.next("2")
		w.loaded("2")
	})
	f("started, reached 1, left 1 1s, reached 2, left 2, reached 3", func(w *walk) { // nobody said that page 2 was loaded
		w.shown("1")
		w.loaded("1")
		w.next("2")
		w.next("3")
		w.loaded("3")
	})
	f("started, reached 1, left 1, reached 2", func(w *walk) { // unseen: nobody knows when
		w.shown("1")
		w.loaded("1")
		w.shown("2")
		w.loaded("2")
	})
	f("", func(w *walk) { w.shown("1") }) // a program that fetches the first page
	f("", func(w *walk) {                 // pages that somebody made up
		w.loaded("9")
		w.loaded("8")
		w.loaded("7")
	})
	f("started, reached 1, left 1 1s, completed 1s, started, reached 1", func(w *walk) {
		w.fold(Observation{Kind: Reached, Page: testPage("1"), Loads: true, Attempt: newAttempt})
		w.fold(Observation{Kind: Completed})
		w.fold(Observation{Kind: Reached, Page: testPage("1"), Loads: true, Attempt: newAttempt})
	})
	f("reached 2", func(w *walk) {
		w.fold(Observation{Kind: Reached, Page: testPage("2"), Loads: true, Attempt: resumedAttempt})
	})
	f("started, reached 1, left 1 1s, screened_out", func(w *walk) {
		w.fold(Observation{Kind: Reached, Page: testPage("1"), Loads: true})
		w.fold(Observation{Kind: Completed, Outcome: ScreenedOut})
	})
}

func TestWhatCameBeforeTheFirstObservationIsNotCounted(t *testing.T) {
	f := newFolding(t, true)
	f.shown("2")
	step, ok := f.Join(Key{"3", "p"}, pastOf(f.at.Add(-time.Minute), "1", "2"))
	if !ok || len(step.Counts) > 0 {
		t.Errorf("joined: %t, counted %v", ok, step.Counts)
	}
	var got []string
	for _, c := range f.next("3").Counts {
		got = append(got, c.What.String()+" "+c.Page.ID)
	}
	if diff := cmp.Diff([]string{"reached 2", "left 2"}, got); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

func TestASilenceIsCountedOnThePageWhereItIs(t *testing.T) {
	f := newFolding(t, false)
	var got []string
	take := func(step Step) {
		for _, c := range step.Counts {
			got = append(got, strings.TrimSpace(c.What.String()+" "+c.Page.ID))
		}
	}
	silence := func() { take(f.Silence(Key{"3", "p"}, f.at, f.at.Add(time.Hour))) }
	take(f.observe(Observation{Kind: PageLoaded, PageID: "made up"}))
	silence()
	take(f.shown("1"))
	silence()
	take(f.next("2"))
	want := []string{"reached 1", "abandoned", "abandoned 1", "returned", "returned 1", "left 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

func TestCountsNameSurveyAndPage(t *testing.T) {
	f := newFolding(t, false)
	f.observe(Observation{Kind: PageShown, Survey: "5", FriendlyID: "fzd", Page: testPage("1"), Loads: true, Alone: true})
	step := f.observe(Observation{Kind: Navigated, Survey: "5", FriendlyID: "fzd", Page: testPage("2")})
	if len(step.Counts) != 1 || step.Counts[0].Survey != (Survey{ID: "5", Instance: "3", FriendlyID: "fzd"}) {
		t.Fatalf("counted %v", step.Counts)
	}
	step = f.observe(Observation{Kind: PageLoaded, PageID: "2"})
	want := PageRef{ID: "2", Number: 2, Position: 2, Name: new("Page 2")}
	if len(step.Counts) != 1 || cmp.Diff(want, step.Counts[0].Page) != "" {
		t.Errorf("counted %v, want that %v was reached", step.Counts, want)
	}
}

func TestANameThatQuotesIsPersonal(t *testing.T) {
	f := func(name string, want bool) {
		t.Helper()
		fold := newFolding(t, false)
		key := Key{"3", "Kim-4711"}
		page := testPage("1")
		page.Item.Options = []Option{{"a1", "Green tea"}, {"a2", "Coffee"}}
		fold.observe(Observation{Kind: PageShown, Journey: key, Survey: "5", Page: page, Loads: true, Alone: true})
		fold.observe(Observation{Kind: Answered, Journey: key, Item: "item1", Answer: []byte(`{"text":"Anna Lind","choice":"a1"}`)})
		next := testPage("2")
		next.Name = &name
		step := fold.observe(Observation{Kind: Navigated, Journey: key, Survey: "5", Page: next, Loads: true})
		for i := range step.Counts {
			if c := &step.Counts[i]; c.Page.ID == "2" {
				if got := c.IsPersonal(); got != want {
					t.Errorf("%q is personal: %t, want %t", name, got, want)
				}
				return
			}
		}
		t.Fatalf("counted %v", step.Counts)
	}
	f("About you", false)
	f("Hello, Anna Lind!", true)
	f("Why green tea?", true)
	f("Why coffee?", false)
	f("Participant kim 4711", true)
}
