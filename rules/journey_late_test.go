package rules

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shared folds an observation in a walk that several replicas observe, which say when
// theirs were.
func shared(w *walk, second int, o Observation) { w.add(w.journey.fold(ordered(w, second, o))) }

// ordered returns an observation of a replica that says when it was.
func ordered(w *walk, second int, o Observation) *Observation {
	w.ticket++
	o.Journey, o.Survey, o.Ticket = Key{"3", "p"}, "5", w.ticket
	o.At = w.clock.Add(time.Duration(second) * time.Second)
	o.Order = o.At
	return &o
}

func next(page string) Observation { return Observation{Kind: Navigated, Page: testPage(page)} }

func loaded(page string) Observation { return Observation{Kind: PageLoaded, PageID: page} }

// expectTold fails the test unless these events were made, and the participant is on a page.
func expectTold(t *testing.T, w *walk, name, want, pointer string) {
	t.Helper()
	if got := strings.Join(w.events, ", "); got != want || w.journey.Pointer != pointer {
		t.Errorf("%s: got %q on page %q, want %q on %q", name, got, w.journey.Pointer, want, pointer)
	}
}

func TestALateNavigationIsToldOnceAndMovesNobodyBack(t *testing.T) {
	shown := func(page string) Observation { return Observation{Kind: PageShown, Page: testPage(page), Alone: true} }
	f := func(name, want, pointer string, steps func(w *walk)) {
		t.Helper()
		w := newWalk()
		shared(w, 1, shown("1"))
		steps(w)
		expectTold(t, w, name, want, pointer)
	}
	f("in order", "1>2, 2>3", "3", func(w *walk) {
		shared(w, 2, next("2"))
		shared(w, 3, loaded("2"))
		shared(w, 4, next("3"))
	})
	f("after the next one", "1>3, 1>2 recovered", "3", func(w *walk) { shared(w, 4, next("3")); shared(w, 2, next("2")) })
	f("twice", "1>3, 1>2 recovered", "3", func(w *walk) {
		shared(w, 4, next("3"))
		shared(w, 2, next("2"))
		shared(w, 3, next("2"))
	})
	f("after its page was loaded", "1>2 recovered, 2>3", "3", func(w *walk) {
		shared(w, 3, loaded("2"))
		shared(w, 2, next("2"))
		shared(w, 4, next("3"))
	})
	f("after its page was loaded and left", "2>3, 1>2 recovered", "3", func(w *walk) {
		shared(w, 3, loaded("2"))
		shared(w, 4, next("3"))
		shared(w, 2, next("2"))
	})
	f("after it was recovered", "1>2 recovered", "2", func(w *walk) { shared(w, 4, shown("2")); shared(w, 2, next("2")) })
	f("after it was recovered and its page left", "1>2 recovered, 2>3", "3", func(w *walk) {
		shared(w, 4, shown("2"))
		shared(w, 5, next("3"))
		shared(w, 2, next("2"))
	})
	f("after the end", "1>end, 1>2 recovered", "", func(w *walk) { shared(w, 4, next("")); shared(w, 2, next("2")) })
	f("the end itself", "1>2, 2>end", "", func(w *walk) { shared(w, 4, next("2")); shared(w, 3, next("")) })
	f("a page loaded", "1>3", "3", func(w *walk) { shared(w, 4, next("3")); shared(w, 2, loaded("2")) })
	f("a page requested before it moved on", "1>3", "3", func(w *walk) {
		shared(w, 4, next("3"))
		before := shown("1")
		before.Began = w.clock.Add(3 * time.Second)
		shared(w, 5, before)
	})
	f("a page shown", "1>3", "3", func(w *walk) { shared(w, 4, next("3")); shared(w, 2, shown("2")) })
}

func TestALateBeginningTellsTheMovesFromIt(t *testing.T) {
	shown := func(page string) Observation { return Observation{Kind: PageShown, Page: testPage(page)} }
	f := func(name, want, pointer string, steps func(w *walk)) {
		t.Helper()
		w := newWalk()
		steps(w)
		expectTold(t, w, name, want, pointer)
	}
	f("a page shown before the first navigation", "1>2 recovered", "2", func(w *walk) { shared(w, 4, next("2")); shared(w, 1, shown("1")) })
	f("a page loaded before it", "1>2 recovered", "2", func(w *walk) { shared(w, 4, next("2")); shared(w, 1, loaded("1")) })
	f("the same page before it", "", "2", func(w *walk) { shared(w, 4, next("2")); shared(w, 3, next("2")) })
	f("another navigation before it", "2>3 recovered", "3", func(w *walk) { shared(w, 4, next("3")); shared(w, 2, next("2")) })
	f("all before a page loaded and left", "2>3, 1>2 recovered", "3", func(w *walk) {
		shared(w, 4, loaded("2"))
		shared(w, 5, next("3"))
		shared(w, 1, shown("1"))
		shared(w, 2, loaded("1"))
		shared(w, 3, next("2"))
	})
	f("all before a page shown and left", "2>3, 1>2 recovered", "3", func(w *walk) {
		shared(w, 4, shown("2"))
		shared(w, 5, next("3"))
		shared(w, 1, shown("1"))
		shared(w, 3, next("2"))
	})
	f("two navigations", "1>3 recovered, 1>2 recovered", "3", func(w *walk) {
		shared(w, 4, next("3"))
		shared(w, 1, shown("1"))
		shared(w, 2, next("2"))
	})
	f("nothing", "1>2", "2", func(w *walk) { shared(w, 1, shown("1")); shared(w, 2, next("2")); shared(w, 3, shown("2")) })
}

func TestALateNavigationIsToldThoughThePastHasIt(t *testing.T) {
	f := func(name, log, want, pointer string, first Observation, steps func(w *walk)) {
		t.Helper()
		w := newWalk()
		w.journey.wait(ordered(w, 5, first))
		w.add(w.journey.join(loggedPast(log)))
		steps(w)
		expectTold(t, w, name, want, pointer)
	}
	const log = "load:1 1>2 load:2"
	f("on the page that it led to", log, "1>2 recovered", "2", loaded("2"), func(w *walk) { shared(w, 3, next("2")) })
	f("after the next one", log, "2>3, 1>2 recovered", "3", loaded("2"), func(w *walk) { shared(w, 6, next("3")); shared(w, 3, next("2")) })
	f("twice", log, "1>2 recovered", "2", loaded("2"), func(w *walk) { shared(w, 3, next("2")); shared(w, 4, next("2")) })
	f("the first that was observed", log, "2>3, 1>2 recovered", "3", next("3"), func(w *walk) { shared(w, 3, next("2")) })
	f("with a page that was loaded before it", log, "1>2 recovered", "2", loaded("2"), func(w *walk) { shared(w, 2, loaded("1")); shared(w, 3, next("2")) })
	f("no navigation before", "load:1", "", "1", loaded("1"), func(w *walk) { shared(w, 3, loaded("1")) })
}

// Of each exchange one of three replicas knows, and one of them comes late. What the app
// tells of the past, if anything, covers all. Answers alone do not say where the past ends.
func TestEveryNavigationIsToldOnceThoughAReplicaComesLate(t *testing.T) {
	for seed := range uint64(1000) {
		chance := rand.New(rand.NewPCG(seed, 17))
		w := newWalk()
		var inTime, late []*Observation
		var log, trace []string
		var want, got []int
		see := func(what string, o Observation) {
			x := ordered(w, len(trace)+1, o)
			if isLate := chance.IntN(3) == 0; isLate {
				late, what = append(late, x), what+" late"
			} else {
				inTime = append(inTime, x)
			}
			trace = append(trace, what)
		}
		see("shown 1", Observation{Kind: PageShown, Page: testPage("1")})
		for n := range 2 + chance.IntN(maxMoves-3) {
			page, to := strconv.Itoa(n+1), strconv.Itoa(n+2)
			see("load "+page, loaded(page))
			see("answer "+page, Observation{Kind: Answered, Item: "item" + page, Answer: []byte(`"a"`)})
			see("next "+to, next(to))
			log, want = append(log, "load:"+page, "answer:"+page+"=a", page+">"+to), append(want, n+2)
		}
		if firstOnPage(inTime) == nil {
			continue
		}
		if hasPast := seed%2 == 0; hasPast {
			for _, o := range inTime {
				w.journey.wait(o)
			}
			w.add(w.journey.join(loggedPast(strings.Join(log, " "))))
		} else {
			for _, o := range inTime {
				w.add(w.journey.fold(o))
			}
		}
		for _, o := range late {
			w.add(w.journey.fold(o))
		}
		for _, event := range w.events {
			_, to, _ := strings.Cut(strings.TrimSuffix(event, " recovered"), ">")
			page, err := strconv.Atoi(to)
			if err != nil {
				t.Fatalf("seed %d: told are %q", seed, w.events)
			}
			got = append(got, page)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Fatalf("seed %d: told are %q of %s", seed, w.events, strings.Join(trace, ", "))
		}
	}
}

func TestALateAnswerDoesNotReplaceALaterOne(t *testing.T) {
	w := newWalk()
	shared(w, 1, Observation{Kind: PageShown, Page: testPage("1")})
	shared(w, 3, Observation{Kind: Answered, Item: "item1", Answer: []byte(`"new"`)})
	shared(w, 2, Observation{Kind: Answered, Item: "item1", Answer: []byte(`"old"`)})
	if got := string(w.journey.answer("item1").Bytes); got != `"new"` {
		t.Errorf("the answer is %s", got)
	}
}

func TestMovesAreStoredOnlyWhereReplicasObserve(t *testing.T) {
	f := func(isOrdered bool, version byte) {
		t.Helper()
		w := newWalk()
		for i, page := range []string{"1", "2", "3"} {
			o := &Observation{Kind: Navigated, Page: testPage(page), Journey: Key{"3", "p"}, At: w.clock.Add(time.Duration(i))}
			if isOrdered {
				o.Order = o.At
			}
			w.journey.fold(o)
		}
		w.journey.save(w.clock)
		if head := w.journey.store.Head(Key{"3", "p"}); head[0] != version {
			t.Errorf("the head has version %d, want %d", head[0], version)
		}
		if diff := cmp.Diff(w.journey.Moves, loadTest(t, w.journey.store).Moves); diff != "" {
			t.Errorf("moves (-was +is):\n%s", diff)
		}
	}
	f(false, headWithoutMoves)
	f(true, headWithoutAmidst)
}

func TestExchangesThatGoOnAreStillWaitedForAfterAnotherProcess(t *testing.T) {
	f := newFolding(t, false)
	f.shown("1")
	f.next("2", 77)
	f.ExchangesGoOn = true
	if step := f.Resume(Key{"3", "p"}, f.at); !step.Settle || len(step.Events) > 0 {
		t.Errorf("resumed, the event waits: %v, and there are %d events", step.Settle, len(step.Events))
	}
	f.take(f.Settle(Key{"3", "p"}, f.at))
	f.wantEvents("1>2?")
}
