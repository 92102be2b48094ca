package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// walk is a journey in a test. It collects the events as text: "1>2" is a
// navigation from page 1 to page 2, "2>end" completes the survey.
type walk struct {
	journey *Journey
	events  []string
	last    *Event
	clock   time.Time
	ticket  uint64
}

func (w *walk) fold(o Observation) {
	w.clock = w.clock.Add(time.Second)
	w.ticket++
	o.Journey, o.Survey, o.At, o.Ticket = Key{"3", "p"}, "5", w.clock, w.ticket
	w.add(w.journey.fold(&o))
}

func (w *walk) add(events []*Event) {
	for _, e := range events {
		text := e.From.ID + ">end"
		if e.To != nil {
			text = e.From.ID + ">" + e.To.ID
		}
		if e.Recovered {
			text += " recovered"
		}
		w.events = append(w.events, text)
		w.last = e
	}
}

func (w *walk) shown(page string) {
	w.fold(Observation{Kind: PageShown, Page: testPage(page), Alone: true})
}

func (w *walk) shownAmidst(page string) { w.fold(Observation{Kind: PageShown, Page: testPage(page)}) }
func (w *walk) loaded(page string)      { w.fold(Observation{Kind: PageLoaded, PageID: page}) }
func (w *walk) next(page string)        { w.fold(Observation{Kind: Navigated, Page: testPage(page)}) }

func (w *walk) answer(page, text string) {
	w.fold(Observation{Kind: Answered, Item: "item" + page, Answer: []byte(text)})
}

// testPage is a page with a response item; "" is no page.
func testPage(id string) *Page {
	if id == "" {
		return nil
	}
	return &Page{ID: id, Number: int(id[0] - '0'), Name: new("Page " + id), Item: &Item{ID: "item" + id, Type: new("Free Text")}}
}

func newWalk() *walk {
	journey := &Journey{key: Key{"3", "p"}, store: NewJourneysInMemory()}
	return &walk{journey: journey, clock: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
}

func TestAJourneyMakesOneEventOfEachNavigation(t *testing.T) {
	f := func(name string, want string, steps func(w *walk)) {
		t.Helper()
		w := newWalk()
		steps(w)
		if got := strings.Join(w.events, ", "); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	f("from page to page to the end", "1>2, 2>end", func(w *walk) { w.shown("1"); w.loaded("1"); w.next("2"); w.loaded("2"); w.next("") })
	f("a navigation to the same page is a refused one", "", func(w *walk) { w.shown("1"); w.next("1") })
	f("two clicks at once are one navigation", "1>2", func(w *walk) { w.shown("1"); w.next("2"); w.next("2") })
	f("the survey is completed once", "1>end", func(w *walk) { w.shown("1"); w.next(""); w.next("") })
	f("the current page is shown again", "1>2", func(w *walk) { w.shown("1"); w.next("2"); w.shown("2"); w.shown("2") })
	f("the current page is the one loaded last", "2>3", func(w *walk) { w.shown("1"); w.loaded("2"); w.next("3") })
	f("the page shown reveals an unseen navigation", "1>3 recovered, 3>end", func(w *walk) { w.shown("1"); w.shown("3"); w.next("") })
	f("the end of the survey does so too", "1>end recovered", func(w *walk) { w.shown("1"); w.shown("") })
	f("not while another exchange is in flight", "1>2", func(w *walk) { w.shown("1"); w.shownAmidst("2"); w.next("2") })
	f("not before any page is known", "", func(w *walk) { w.shown(""); w.shown("2") })
	f("not after the end", "1>end", func(w *walk) { w.shown("1"); w.next(""); w.shown(""); w.shown("2") })
	f("the first navigation from an unknown page makes no event", "2>3", func(w *walk) { w.next("2"); w.next("3") })
	f("except that it completes the survey", ">end", func(w *walk) { w.next("") })
}

func TestPositionsFollowTheParticipantsOwnOrder(t *testing.T) {
	w := newWalk()
	w.shown("1")
	w.next("3")
	w.next("2")
	want := PageRef{ID: "3", Number: 3, Position: 2, Name: new("Page 3")}
	if diff := cmp.Diff(want, w.last.From); diff != "" {
		t.Errorf("the page left (-want +got):\n%s", diff)
	}
	if w.last.To.Position != 3 {
		t.Errorf("the page reached has position %d, want 3", w.last.To.Position)
	}
}

func TestEachResponseHasAState(t *testing.T) {
	w := newWalk()
	w.shown("1")
	w.loaded("1")
	w.answer("1", `{"text":"first"}`)
	w.answer("1", `{"text": "last"}`)
	w.next("2")
	w.loaded("2")
	w.answer("2", `{ }`)
	w.next("3")
	w.loaded("3")
	w.next("4")
	w.loaded("4")
	w.loaded("5") // loaded, and never shown to us
	w.loaded("4")
	w.next("6")
	w.next("7") // page 6 was never loaded
	w.loaded("1")

	var got []string
	w.next("8")
	for i := range w.last.Responses {
		r := &w.last.Responses[i]
		got = append(got, fmt.Sprintf("%s %s left=%v %s", r.Page.ID, w.last.state(r), r.Left, r.Answer))
	}
	want := []string{
		`1 answered left=false {"text": "last"}`,
		`2 cleared left=true { }`,
		`3 skipped left=true `,
		`4 skipped left=true `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("responses (-want +got):\n%s", diff)
	}
}

func TestThePageBeingLeftWithoutAnAnswerIsSkipped(t *testing.T) {
	w := newWalk()
	w.shown("1")
	w.loaded("1")
	w.next("2")
	r := &w.last.Responses[0]
	if w.last.state(r) != skipped || r.Left {
		t.Errorf("state %s, left %v; want skipped, and not left before", w.last.state(r), r.Left)
	}
}

func TestAnEventWaitsForTheAnswersInFlight(t *testing.T) {
	w := newWalk()
	w.shown("1")
	w.loaded("1")
	w.answer("1", `{"text":"old"}`)
	const racing, another = 100, 101
	w.fold(Observation{Kind: Navigated, Page: testPage("2"), InFlight: []uint64{racing, another}})
	w.loaded("2")
	w.next("3") // the next event does not overtake
	w.add(w.journey.fold(&Observation{Kind: Nothing, Ticket: another}))
	if len(w.events) != 0 {
		t.Fatalf("%d events came before the answer in flight", len(w.events))
	}
	o := Observation{Kind: Answered, Journey: Key{"3", "p"}, Item: "item1", Answer: []byte(`{"text":"new"}`), Ticket: racing, At: w.clock}
	events := w.journey.fold(&o)
	w.add(events)
	if got, want := strings.Join(w.events, ", "), "1>2, 2>3"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	if got := string(events[0].Responses[0].Answer); got != `{"text":"new"}` {
		t.Errorf("the first event has the answer %s, want the one that was in flight", got)
	}
	if n := len(events[0].Responses); n != 1 {
		t.Errorf("the first event has %d pages, want 1: never a later page", n)
	}
}

func TestACompletionWaitsForAFormInFlight(t *testing.T) {
	w := newWalk()
	w.fold(Observation{Kind: Completed, InFlight: []uint64{100}})
	events := w.journey.fold(&Observation{Kind: Answered, Answers: []ItemAnswer{{Item: "late", Answer: []byte("4")}}, Ticket: 100, At: w.clock})
	if len(events) != 1 || len(events[0].Responses) != 1 || string(events[0].Responses[0].Answer) != "4" {
		t.Errorf("%d events, %+v; want one with the answer that was in flight", len(events), events)
	}
}

func TestAnEventIsReadyWithoutAnAnswerThatFailsOrTakesTooLong(t *testing.T) {
	f := func(name string, end func(j *Journey) []*Event) {
		t.Helper()
		w := newWalk()
		w.shown("1")
		w.loaded("1")
		w.fold(Observation{Kind: Navigated, Page: testPage("2"), InFlight: []uint64{100}})
		w.answer("1", `{"text":"began after the navigation"}`)
		if events := end(w.journey); len(events) != 1 || events[0].Responses[0].Answer != nil {
			t.Errorf("%s: got %d events, want 1 without an answer", name, len(events))
		}
		if n := len(w.journey.settle()); n != 0 {
			t.Errorf("%s: the event came again", name)
		}
	}
	f("it ended without being accepted", func(j *Journey) []*Event { return j.fold(&Observation{Kind: Nothing, Ticket: 100}) })
	f("it took too long", func(j *Journey) []*Event { return j.settle() })
}

// Where an answer is on its way, the one before it is no longer the last.
func TestAnAnswerThatIsStillInFlightIsPending(t *testing.T) {
	w := newWalk()
	w.shown("1")
	w.loaded("1")
	w.answer("1", `{"text":"old"}`)
	w.fold(Observation{Kind: Navigated, Page: testPage("2"), InFlight: []uint64{100, 101}, InFlightItems: []string{"item1", "other"}})
	w.journey.fold(&Observation{Kind: Nothing, Ticket: 101})
	events := w.journey.settle()
	if len(events) != 1 {
		t.Fatalf("%d events are settled, want 1", len(events))
	}
	if r := &events[0].Responses[0]; events[0].state(r) != pending || r.Answer != nil || !r.Recorded.IsZero() || !events[0].Partial {
		t.Errorf("the response is %s with %s, partial %v; want pending without an answer, partial", events[0].state(r), r.Answer, events[0].Partial)
	}
}

func TestAJourneyHasBounds(t *testing.T) {
	w := newWalk()
	w.journey.limits.Journey = 1 << 20
	w.shown("1")
	for i := range maxPages + 10 {
		w.loaded(fmt.Sprint("page", i))
	}
	for i := range maxAnswers + 10 {
		w.answer(fmt.Sprint(i), `{}`)
	}
	if w.journey.KnownPages != maxPages || w.journey.KnownAnswers != maxAnswers || !w.journey.Partial {
		t.Errorf("%d pages, %d answers, partial %v; want %d, %d, true", w.journey.KnownPages, w.journey.KnownAnswers, w.journey.Partial, maxPages, maxAnswers)
	}
	if pages, answers := len(w.parts(partPage)), len(w.parts(partAnswer)); pages != maxPages || answers != maxAnswers {
		t.Errorf("%d pages and %d answers are stored, want %d and %d", pages, answers, maxPages, maxAnswers)
	}
}

func (w *walk) parts(kind string) []string { return w.journey.store.Parts(w.journey.key, kind) }

// An answer past a bound leaves no older one standing as if it were the last.
func TestAnswerPastABoundIsUnknown(t *testing.T) {
	f := func(name string, before, after int, want Refusal) {
		t.Helper()
		w := newWalk()
		w.shown("1")
		w.loaded("1")
		w.answer("1", strings.Repeat("x", before))
		w.answer("2", strings.Repeat("y", 40<<10))
		w.journey.limits = Limits{Answer: 64 << 10, Journey: 100 << 10}
		w.answer("1", strings.Repeat("z", after))
		if got := w.journey.refused; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q is refused, want %q", name, got, want)
		}
		w.next("2")
		if !w.last.Partial || w.last.Responses[0].Answer != nil {
			t.Errorf("%s: the event is partial: %v, with the answer %.10q", name, w.last.Partial, w.last.Responses[0].Answer)
		}
		w.answer("1", "short")
		w.next("3")
		if w.last.Partial || string(w.last.Responses[0].Answer) != "short" {
			t.Errorf("%s: once it is known again, the event is partial: %v, with the answer %.10q", name, w.last.Partial, w.last.Responses[0].Answer)
		}
		if size := w.journey.Bytes; size < 40<<10 || size > 42<<10 {
			t.Errorf("%s: the journey is counted as %d bytes", name, size)
		}
	}
	f("an answer that is too large", 10, 64<<10+1, RefusedAnswer)
	f("an answer for which the journey has no room", 10, 62<<10, RefusedRecord)
}

func TestNavigationPastTheBoundMakesNoEvent(t *testing.T) {
	w := newWalk()
	w.shown("1")
	w.journey.Place = maxNavigations - 1
	w.next("2")
	w.next("3")
	if got := strings.Join(w.events, ", "); got != "1>2" || !w.journey.Partial || w.journey.Pointer != "3" {
		t.Errorf("got %q, partial %v, on page %s; want the first navigation, and the participant on page 3", got, w.journey.Partial, w.journey.Pointer)
	}
}

func TestEventsThatWaitForAnswersAreBounded(t *testing.T) {
	f := func(name string, answer, tickets, want int) {
		t.Helper()
		w := newWalk()
		w.journey.limits.Answer = answer
		w.shown("1")
		w.loaded("1")
		w.answer("1", strings.Repeat("x", answer))
		for i := range 40 {
			var inFlight []uint64
			for range tickets {
				inFlight = append(inFlight, uint64(1000+len(inFlight)))
			}
			w.fold(Observation{Kind: Navigated, Page: testPage(fmt.Sprint(i%2 + 1)), InFlight: inFlight})
		}
		if !w.last.Partial {
			t.Errorf("%s: an event that did not wait is not partial", name)
		}
		if got := len(w.journey.Held); got != want || len(w.events) == 0 {
			t.Errorf("%s: %d events wait and %d do not, want %d to wait", name, got, len(w.events), want)
		}
	}
	f("by their number", 10, 1, maxUnsettled)
	f("by the answers in flight", 10, maxTickets/4, 4)
	f("by their size", 300_000, 1, 2) // an event has its answer in base64
}

// What an observation reads and writes does not grow with the journey.
func TestObservationTouchesTheHeadAndOneRecord(t *testing.T) {
	for _, answers := range []int{1, 900} {
		w := newWalk()
		w.shown("1")
		w.loaded("1")
		for i := range answers {
			w.answer(fmt.Sprint(i), `{}`)
		}
		store := &countingStore{JourneysInMemory: w.journey.store.(*JourneysInMemory)}
		w.journey.store = store
		w.answer("0", `{"text":"a"}`)
		w.loaded("1")
		w.shownAmidst("1")
		if store.reads > 3 || store.writes > 2 {
			t.Errorf("with %d answers: %d reads and %d writes, want 3 and 2", answers, store.reads, store.writes)
		}
		if w.journey.save(w.clock); len(store.Head(w.journey.key)) > 1024 {
			t.Errorf("with %d answers: the head has %d bytes, want at most 1024", answers, len(store.Head(w.journey.key)))
		}
	}
}

// countingStore counts what a journey reads and writes beside its head.
type countingStore struct {
	*JourneysInMemory
	reads, writes int
}

func (s *countingStore) Part(key Key, name string) []byte {
	s.reads++
	return s.JourneysInMemory.Part(key, name)
}

func (s *countingStore) Parts(key Key, prefix string) []string {
	names := s.JourneysInMemory.Parts(key, prefix)
	s.reads += len(names)
	return names
}

func (s *countingStore) PutPart(key Key, name string, part []byte) {
	s.writes++
	s.JourneysInMemory.PutPart(key, name, part)
}

// fullOfPages is a store without room for another page.
type fullOfPages struct{ *JourneysInMemory }

func (fullOfPages) Page(string) []byte { return nil }

func (f fullOfPages) PutPage(definition []byte) (name string, isKept bool) {
	name, _ = f.JourneysInMemory.PutPage(definition)
	return name, false
}

func TestAPageThatTheStoreCannotShareIsKeptInTheJourney(t *testing.T) {
	fold := &Fold{Journeys: fullOfPages{NewJourneysInMemory()}}
	page := &Page{ID: "1", Item: &Item{ID: "q"}}
	fold.Observe(Observation{Kind: Reached, Journey: Key{"3", "p"}, Page: page, Loads: true, Begins: true})
	step := fold.Observe(Observation{Kind: Completed, Journey: Key{"3", "p"}, Answers: []ItemAnswer{{Item: "q", Answer: []byte(`"a"`)}}, OnPage: true})
	if len(step.Events) != 1 || step.Events[0].Partial || len(step.Events[0].Responses) != 1 {
		t.Errorf("%+v, want one event that has the answer", step.Events)
	}
}

func TestAnswersToAPageThatWasNotObservedMakeAJourneyPartial(t *testing.T) {
	f := func(lacksPages, want bool) {
		t.Helper()
		w := newWalk()
		answers := []ItemAnswer{{Item: "q", Answer: []byte(`"a"`)}}
		w.fold(Observation{Kind: Reached, Page: testPage("2"), Answers: answers, OnPage: true, LacksPages: lacksPages})
		events := w.journey.fold(&Observation{Kind: Completed, At: w.clock})
		if len(events) != 1 || events[0].Partial != want {
			t.Errorf("%d events, %+v; want one that is partial: %v", len(events), events, want)
		}
	}
	f(true, true)
	f(false, false) // of a form that is no page's, such as that for a token
}
