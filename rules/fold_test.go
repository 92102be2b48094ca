package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// folding calls a fold with the observations of participant p in survey 5/3, a
// second apart, and collects the events.
type folding struct {
	Fold
	t      *testing.T
	at     time.Time
	ticket uint64
	events []*Event
}

func newFolding(t *testing.T, readsPasts bool) *folding {
	return &folding{
		Fold: Fold{Journeys: NewJourneysInMemory(), ReadsPasts: readsPasts},
		t:    t, at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
	}
}

func (f *folding) observe(o Observation) Step {
	f.at = f.at.Add(time.Second)
	f.ticket++
	o.At, o.Ticket = f.at, f.ticket
	if o.Journey == (Key{}) {
		o.Journey = Key{"3", "p"}
	}
	return f.take(f.Observe(o))
}

func (f *folding) take(step Step) Step {
	f.events = append(f.events, step.Events...)
	return step
}

func (f *folding) shown(page string) Step {
	return f.observe(Observation{Kind: PageShown, Survey: "5", Host: "a.example.org", Page: testPage(page), Alone: true})
}

func (f *folding) next(page string, inFlight ...uint64) Step {
	return f.observe(Observation{Kind: Navigated, Survey: "5", Page: testPage(page), InFlight: inFlight})
}

func (f *folding) answer(page string) Step {
	return f.observe(Observation{Kind: Answered, Item: "item" + page, Answer: []byte(`"a"`)})
}

func (f *folding) wantState(want journeyState) {
	f.t.Helper()
	if got := f.load(Key{"3", "p"}).state(); got != want {
		f.t.Errorf("the journey is %s, want %s", got, want)
	}
}

// wantEvents compares the events so far: "1>2" is a navigation, "1>2?" one of a partial event.
func (f *folding) wantEvents(want string) {
	f.t.Helper()
	var got []string
	for _, e := range f.events {
		text := e.From.ID + ">"
		if e.To != nil {
			text += e.To.ID
		}
		if e.Partial {
			text += "?"
		}
		got = append(got, text)
	}
	if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
		f.t.Errorf("events (-want +got):\n%s", diff)
	}
}

// pastOf is a past in which these pages were left one after the other.
func pastOf(at time.Time, pages ...string) *Past {
	past := &Past{Pages: map[string]*Page{}}
	for i, page := range pages {
		past.Pages[page] = testPage(page)
		past.Events = append(past.Events, PastEvent{Kind: PageLoaded, At: at, Source: page})
		if i < len(pages)-1 {
			past.Events = append(past.Events, PastEvent{Kind: Navigated, At: at, Source: page, Reached: pages[i+1]})
		}
	}
	return past
}

func TestAJourneyGoesFromStateToState(t *testing.T) {
	f := newFolding(t, true)
	f.wantState(unknown)
	f.observe(Observation{Kind: Nothing})
	f.wantState(unknown)
	f.answer("2")
	f.wantState(joining)
	f.shown("2")
	f.wantState(joining)
	f.Join(Key{"3", "p"}, nil)
	f.wantState(begun)
	f.next("")
	f.wantState(done)
	f.next("1")
	f.wantState(done)
	f.observe(Observation{Kind: PageShown, Survey: "6", Journey: Key{"4", "p"}, Via: Key{"3", "p"}, Page: testPage("1"), Begins: true})
	f.wantState(moved)
	for state := unknown; state <= done; state++ {
		if strings.Contains(state.String(), "(") {
			t.Errorf("state %d has no name", state)
		}
	}
}

func TestAJourneyWithoutAPastBeginsAtOnce(t *testing.T) {
	f := func(name string, readsPasts bool, first Observation) {
		t.Helper()
		fold := newFolding(t, readsPasts)
		first.Survey, first.Page = "5", testPage("1")
		if step := fold.observe(first); step.Past != nil {
			t.Errorf("%s: a past is requested", name)
		}
		fold.next("2")
		fold.wantEvents("1>2")
	}
	f("pasts cannot be read", false, Observation{Kind: PageShown})
	f("the app has just created the participant", true, Observation{Kind: PageShown, Begins: true})
}

func TestAPastIsRequestedOnceTheSurveyIsKnown(t *testing.T) {
	f := newFolding(t, true)
	if step := f.answer("2"); step.Past != nil {
		t.Error("a past is requested before the survey is known")
	}
	want := &PastRequest{Journey: Key{"3", "p"}, Survey: "5"}
	if diff := cmp.Diff(want, f.shown("2").Past); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if step := f.next("3"); step.Past != nil {
		t.Error("a past is requested again at once")
	}
	f.at = f.at.Add(2 * PastTimeout)
	if step := f.shown("3"); step.Past == nil {
		t.Error("a past that did not come is not requested again")
	}
	f.wantEvents("")
	step, ok := f.Join(Key{"3", "p"}, pastOf(f.at.Add(-time.Hour), "1", "2"))
	if f.take(step); !ok || step.Made != 1 {
		t.Errorf("ok is %v, %d events are made, want 1", ok, step.Made)
	}
	f.wantEvents("2>3")
	if position := f.events[0].From.Position; position != 2 {
		t.Errorf("page 2 is at position %d, want 2", position)
	}
	if _, ok := f.Join(Key{"3", "p"}, nil); ok {
		t.Error("a journey joins twice")
	}
}

// What waits for the survey's id is in the app too, so that nothing is lost with
// it, and nothing stays of participants who were made up.
func TestObservationsDoNotWaitForeverForTheSurvey(t *testing.T) {
	f := func(name string, end func(f *folding) Step) {
		t.Helper()
		f := newFolding(t, true)
		if step := f.answer("2"); !step.Expires || step.Waiting == 0 || step.Past != nil {
			t.Errorf("%s: expires is %v, %d bytes wait, the past is %v", name, step.Expires, step.Waiting, step.Past)
		}
		if step := f.answer("2"); step.Expires {
			t.Errorf("%s: it expires twice", name)
		}
		if step := end(f); step.Waiting != 0 {
			t.Errorf("%s: %d bytes still wait", name, step.Waiting)
		}
		f.wantState(unknown)
		store := f.Journeys.(*JourneysInMemory)
		if left := len(store.Parts(Key{"3", "p"}, "")); left != 0 || len(store.heads) != 0 {
			t.Errorf("%s: %d parts and %d heads are left", name, left, len(store.heads))
		}
		f.IsCrowded = false
		if step := f.shown("2"); step.Past == nil {
			t.Errorf("%s: no past is requested once the survey is known", name)
		}
		step, _ := f.Join(Key{"3", "p"}, pastOf(f.at.Add(-time.Hour), "1", "2"))
		f.take(step)
		f.next("3")
		f.wantEvents("2>3")
	}
	f("it expires", func(f *folding) Step { return f.Expire(Key{"3", "p"}) })
	f("after a restart", func(f *folding) Step { return f.Resume(Key{"3", "p"}, f.at) })
	f("too many journeys wait", func(f *folding) Step { f.IsCrowded = true; return f.answer("2") })
	f("its own observations take too much", func(f *folding) Step {
		for range maxWaiting - 3 {
			f.answer("2")
		}
		return f.answer("2")
	})
}

func TestPastIsRequestedWithoutASurveyWhereThatIsPossible(t *testing.T) {
	f := newFolding(t, true)
	f.AsksWithoutSurvey = true
	if step := f.answer("2"); step.Past == nil || step.Expires {
		t.Errorf("the past is %v, expires is %v", step.Past, step.Expires)
	}
	f.Expire(Key{"3", "p"})
	f.wantState(joining)
}

func TestJourneyThatHasASurveyDoesNotExpire(t *testing.T) {
	f := newFolding(t, true)
	f.answer("2")
	f.shown("2")
	if step := f.Expire(Key{"3", "p"}); step.Waiting == 0 {
		t.Error("its observations are gone")
	}
	f.wantState(joining)
}

func TestJourneyGoesOnWithoutItsPastWhenTooManyWait(t *testing.T) {
	f := newFolding(t, true)
	f.shown("2")
	f.IsCrowded = true
	f.observe(Observation{Kind: PageLoaded, PageID: "2"})
	f.wantState(joining)
	f.IsFull = true
	step := f.next("3")
	if diff := cmp.Diff([]Refusal{RefusedWait}, step.Refused); diff != "" || step.Waiting != 0 {
		t.Errorf("%d bytes wait; refused (-want +got):\n%s", step.Waiting, diff)
	}
	f.wantEvents("2>3?")
}

// Whoever logs answers for a study before being allotted leaves nothing there.
func TestStudyThatLeadsElsewhereHasNoRecordsButThat(t *testing.T) {
	study := Key{"7", "p"}
	f := newFolding(t, false)
	f.observe(Observation{Kind: Answered, Journey: study, Item: "i", Answer: []byte("1")})
	f.observe(Observation{Kind: PageShown, Survey: "5", Via: study, Page: testPage("1"), Begins: true})
	if left := f.Journeys.Parts(study, ""); len(left) != 0 {
		t.Errorf("the study's journey has the parts %q", left)
	}
}

func TestDamagedJourneyIsReportedAndPartial(t *testing.T) {
	f := newFolding(t, false)
	var reported error
	f.Damaged = func(_ Key, err error) { reported = err }
	f.shown("1")
	f.Journeys.PutHead(Key{"3", "p"}, []byte("{"), Mark{})
	f.shown("1")
	f.next("2")
	if reported == nil {
		t.Error("nothing is reported")
	}
	f.wantEvents("1>2?")
	f.Journeys.PutPart(Key{"3", "p"}, partPage+"2", []byte("{"))
	f.next("3")
	f.wantEvents("1>2? 2>3?")
}

func TestPastIsUrgentOnceAnEventWaitsForIt(t *testing.T) {
	f := newFolding(t, true)
	if step := f.shown("2"); step.Past.IsUrgent || step.Urgent != nil {
		t.Errorf("the past of a page shown is urgent: %+v, %+v", step.Past, step.Urgent)
	}
	if step := f.next("3"); step.Urgent == nil || !step.Urgent.IsUrgent {
		t.Errorf("an event waits, and the request is %+v", step.Urgent)
	}
	if step := f.next("4"); step.Urgent != nil {
		t.Error("it is requested a third time")
	}
	f = newFolding(t, true)
	if step := f.next("3"); !step.Past.IsUrgent {
		t.Error("the past of a navigation is not urgent")
	}
}

func TestAPastThatCannotBeReadLeavesEventsPartial(t *testing.T) {
	f := newFolding(t, true)
	f.shown("2")
	f.next("3")
	step, _ := f.Join(Key{"3", "p"}, nil)
	f.take(step)
	f.wantEvents("2>3?")
}

func TestAJourneyGoesOnWithoutItsPastWhenTooManyObservationsWait(t *testing.T) {
	f := newFolding(t, true)
	f.shown("2")
	f.next("3")
	for range maxWaiting - 3 {
		f.answer("3")
	}
	f.wantEvents("")
	if step := f.answer("3"); step.Made != 1 {
		t.Errorf("%d events are made, want 1", step.Made)
	}
	f.wantEvents("2>3?")
	f.wantState(begun)
}

func TestAnEventWithAnswersInFlightIsSettledLater(t *testing.T) {
	const inFlight = 100
	f := newFolding(t, false)
	f.shown("1")
	if step := f.next("2", inFlight); !step.Settle || step.Made != 1 {
		t.Errorf("settle is %v, %d events are made, want 1 to settle", step.Settle, step.Made)
	}
	if step := f.next("2", inFlight); step.Settle || step.Made != 0 {
		t.Error("a navigation that was refused is to be settled")
	}
	f.wantEvents("")
	f.take(f.Settle(Key{"3", "p"}, f.at))
	f.wantEvents("1>2?")
	f.take(f.Settle(Key{"3", "p"}, f.at))
	f.wantEvents("1>2?")
}

func TestAJoinedEventWithAnswersInFlightIsSettledLater(t *testing.T) {
	f := newFolding(t, true)
	f.shown("1")
	if step := f.next("2", 100); step.Settle {
		t.Error("an observation that waits for its past is to be settled")
	}
	step, _ := f.Join(Key{"3", "p"}, &Past{})
	if !step.Settle || len(step.Events) != 0 || step.Made != 1 {
		t.Errorf("settle is %v, %d of %d events are ready, want 1 to settle", step.Settle, len(step.Events), step.Made)
	}
}

func TestAStudyLeadsToTheSurveyAllotted(t *testing.T) {
	study, survey := Key{"7", "p"}, Key{"3", "p"}
	f := newFolding(t, false)
	f.observe(Observation{Kind: PageShown, Journey: survey, Via: study, Survey: "5", Study: "study", Page: testPage("1"), Alone: true})
	// At the end the app responds for the study.
	step := f.observe(Observation{Kind: Navigated, Journey: study, Survey: "7"})
	if step.Journey != survey {
		t.Errorf("the events are of %v, want %v", step.Journey, survey)
	}
	f.wantEvents("1>")
	if of := f.events[0].Survey; of.ID != "5" || of.Instance != "3" || of.Study != "study" {
		t.Errorf("the event's survey is %+v", of)
	}
	f.wantState(done)
	if key, journey := f.Find(study); key != survey || !journey.Done {
		t.Errorf("the study leads to %v, done %v", key, journey.Done)
	}
}

func TestAfterARestartUnfinishedWorkIsResumed(t *testing.T) {
	key := Key{"3", "p"}
	f := newFolding(t, false)
	f.shown("1")
	f.next("2", 100)
	f.take(f.Resume(key, f.at))
	f.wantEvents("1>2?")

	f = newFolding(t, true)
	f.shown("1")
	f.next("2", 100)
	step := f.take(f.Resume(key, f.at))
	if diff := cmp.Diff(&PastRequest{Journey: key, Survey: "5", Host: "a.example.org"}, step.Past); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	step, _ = f.Join(key, &Past{})
	f.take(step)
	f.wantEvents("1>2") // no exchange of the earlier process ends

	f = newFolding(t, true)
	f.shown("1")
	f.next("2", 100)
	f.ReadsPasts = false // with another profile
	f.take(f.Resume(key, f.at))
	f.wantEvents("1>2?")
}
