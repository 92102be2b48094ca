package rules

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestANavigationThatEndsAfterItsPageWasShownIsToldOnceAndMovesNobodyBack(t *testing.T) {
	f := func(name, want, pointer string, steps func(w *walk, next2 func())) {
		t.Helper()
		w := newWalk()
		w.shown("1")
		began := w.clock
		steps(w, func() { w.fold(Observation{Kind: Navigated, Page: testPage("2"), Began: began}) })
		expectTold(t, w, name, want, pointer)
	}
	f("before it is loaded", "1>2", "2", func(w *walk, next2 func()) { w.shownAmidst("2"); next2(); w.loaded("2") })
	f("after it is loaded", "1>2 recovered", "2", func(w *walk, next2 func()) { w.shownAmidst("2"); w.loaded("2"); next2() })
	f("after the participant went on", "2>3, 3>4, 1>2 recovered", "4", func(w *walk, next2 func()) {
		w.shownAmidst("2")
		w.loaded("2")
		w.next("3")
		w.next("4")
		next2()
	})
	f("after the end", "2>end, 1>2 recovered", "", func(w *walk, next2 func()) { w.shownAmidst("2"); w.loaded("2"); w.next(""); next2() })
	f("twice", "1>2 recovered", "2", func(w *walk, next2 func()) { w.shownAmidst("2"); w.loaded("2"); next2(); next2() })
	f("of two clicks", "1>2", "2", func(w *walk, next2 func()) { w.shownAmidst("2"); next2(); w.loaded("2"); next2() })
	f("and one that began later was refused", "", "2", func(w *walk, _ func()) {
		w.shownAmidst("2")
		w.loaded("2")
		w.fold(Observation{Kind: Navigated, Page: testPage("2"), Began: w.clock.Add(time.Millisecond)})
	})
}

func TestAPageShownAmidstANavigationIsStored(t *testing.T) {
	w := newWalk()
	w.shown("1")
	w.shownAmidst("2")
	w.journey.save(w.clock)
	if head := w.journey.store.Head(Key{"3", "p"}); head[0] != headVersion {
		t.Errorf("the head has version %d", head[0])
	}
	if diff := cmp.Diff(w.journey.Amidst, loadTest(t, w.journey.store).Amidst); diff != "" {
		t.Errorf("it differs (-was +is):\n%s", diff)
	}
}
