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
	journey Journey
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

func newWalk() *walk { return &walk{clock: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

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

func TestAnEventIsReadyWithoutAnAnswerThatFailsOrTakesTooLong(t *testing.T) {
	f := func(name string, end func(j *Journey) []*Event) {
		t.Helper()
		w := newWalk()
		w.shown("1")
		w.loaded("1")
		w.fold(Observation{Kind: Navigated, Page: testPage("2"), InFlight: []uint64{100}})
		w.answer("1", `{"text":"began after the navigation"}`)
		if events := end(&w.journey); len(events) != 1 || events[0].Responses[0].Answer != nil {
			t.Errorf("%s: got %d events, want 1 without an answer", name, len(events))
		}
		if n := len(w.journey.settle()); n != 0 {
			t.Errorf("%s: the event came again", name)
		}
	}
	f("it ended without being accepted", func(j *Journey) []*Event { return j.fold(&Observation{Kind: Nothing, Ticket: 100}) })
	f("it took too long", func(j *Journey) []*Event { return j.settle() })
}

func TestAJourneyHasBounds(t *testing.T) {
	w := newWalk()
	w.shown("1")
	for i := range maxPages + 10 {
		w.loaded(fmt.Sprint("page", i))
	}
	for i := range maxItems + 10 {
		w.answer(fmt.Sprint(i), `{}`)
	}
	w.answer("0", `"`+strings.Repeat("x", maxAnswerBytes)+`"`)
	if len(w.journey.Pages) != maxPages || len(w.journey.Answers) != maxItems || !w.journey.Partial {
		t.Errorf("%d pages, %d answers, partial %v; want %d, %d, true", len(w.journey.Pages), len(w.journey.Answers), w.journey.Partial, maxPages, maxItems)
	}
	if got := string(w.journey.Answers["item0"].Bytes); got != "{}" {
		t.Errorf("an answer past the bound replaced the one before")
	}
}
