package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/funnel"
)

// namingAll names the events that no rule makes which does not name them.
var namingAll = Compile([]config.Rule{{On: []config.EventName{config.Started, config.Abandoned}, To: []string{"lake"}}})

func (f *folding) loaded(page string) Step {
	return f.observe(Observation{Kind: PageLoaded, PageID: page, Traceparent: "trace"})
}

// silence notes a silence half an hour after the last exchange.
func (f *folding) silence() Step {
	return f.take(f.Silence(Key{"3", "p"}, f.at, f.at.Add(30*time.Minute)))
}

// named lists the names of the events so far, and where they lead.
func (f *folding) named() string {
	var names []string
	for _, e := range f.events {
		to := ""
		if e.To != nil {
			to = e.To.ID
		}
		names = append(names, string(e.Name())+" "+e.From.ID+">"+to)
	}
	return strings.Join(names, ", ")
}

func TestStartedAndAbandonedAreMadeWhereARuleNamesThem(t *testing.T) {
	f := func(rules *Set, want string) {
		t.Helper()
		f := newFolding(t, false)
		f.Rules = rules
		f.shown("1")
		f.loaded("1")
		f.next("2")
		f.loaded("2")
		f.silence()
		f.next("")
		if got := f.named(); got != want {
			t.Errorf("made %s, want %s", got, want)
		}
	}
	f(nil, "page_navigation 1>2, completion 2>")
	f(Compile([]config.Rule{{To: []string{"lake"}}}), "page_navigation 1>2, completion 2>")
	f(namingAll, "started >1, page_navigation 1>2, abandoned 2>, completion 2>")
}

func TestASilenceIsNotedOnceUntilTheParticipantGoesOn(t *testing.T) {
	f := newFolding(t, false)
	f.Rules = namingAll
	f.shown("1")
	f.loaded("1")
	f.answer("1")
	if step := f.silence(); !step.IsSilence {
		t.Error("no silence was noted")
	}
	if step := f.silence(); step.IsSilence || len(step.Events) > 0 {
		t.Errorf("it was noted again: %+v", step)
	}
	f.answer("1")
	f.silence()
	if got, want := f.named(), "started >1, abandoned 1>, abandoned 1>"; got != want {
		t.Errorf("made %s, want %s", got, want)
	}
	if first, second := f.events[1].Occasion(), f.events[2].Occasion(); first == second {
		t.Errorf("two silences are the same occasion %q", first)
	}
}

func TestAnAbandonedSurveyHasTheAnswersOfTheLastPageToo(t *testing.T) {
	f := newFolding(t, false)
	f.Rules = namingAll
	f.shown("1")
	f.loaded("1")
	f.next("2")
	f.loaded("2")
	f.answer("2")
	last := f.at
	f.silence()
	e := f.events[len(f.events)-1]
	states := map[string]responseState{}
	for i := range e.Responses {
		states[e.Responses[i].Page.ID] = e.state(&e.Responses[i])
	}
	if diff := cmp.Diff(map[string]responseState{"1": skipped, "2": answered}, states); diff != "" {
		t.Errorf("responses (-want +got):\n%s", diff)
	}
	if e.Completed() || e.Outcome != "" || !e.LastExchange.Equal(last) || !e.At.Equal(last.Add(30*time.Minute)) {
		t.Errorf("the event is %+v", e)
	}
}

// Nobody has left the page yet.
func TestAPageThatIsNotLeftIsUnansweredRatherThanSkipped(t *testing.T) {
	f := newFolding(t, false)
	f.Rules = namingAll
	f.shown("1")
	f.loaded("1")
	f.silence()
	for _, e := range f.events {
		if len(e.Responses) != 1 || e.state(&e.Responses[0]) != unanswered {
			t.Errorf("%s has %+v", e.Name(), e.Responses)
		}
	}
	if started := f.events[0]; started.Traceparent != "trace" || started.From != (PageRef{}) || started.To.Position != 1 {
		t.Errorf("started is %+v", started)
	}
}

func TestASilenceIsNotNotedOfAJourneyThatDoesNotAwaitOne(t *testing.T) {
	f := func(name string, readsPasts bool, steps func(f *folding)) {
		t.Helper()
		f := newFolding(t, readsPasts)
		f.Rules = namingAll
		steps(f)
		if step := f.silence(); step.IsSilence || len(step.Events) > 0 {
			t.Errorf("%s: %+v", name, step)
		}
	}
	f("nothing was observed", false, func(*folding) {})
	f("it has ended", false, func(f *folding) { f.shown("1"); f.next("") })
	f("it waits for a past", true, func(f *folding) { f.shown("1") })
	f("an event waits for answers", false, func(f *folding) { f.shown("1"); f.next("2", 100) })
	f("it goes on elsewhere", false, func(f *folding) {
		f.observe(Observation{Kind: PageShown, Survey: "6", Journey: Key{"4", "p"}, Via: Key{"3", "p"}, Page: testPage("1")})
	})
}

func TestAPastMakesNoStart(t *testing.T) {
	f := newFolding(t, true)
	f.Rules = namingAll
	f.shown("2")
	step, _ := f.Join(Key{"3", "p"}, pastOf(f.at.Add(-time.Hour), "1", "2"))
	f.take(step)
	f.loaded("2")
	f.next("3")
	if got := f.named(); got != "page_navigation 2>3" {
		t.Errorf("made %s", got)
	}
}

func TestSilencesAndTheirEndsAreCounted(t *testing.T) {
	f := newFolding(t, false) // no rule names the event
	var counted []string
	note := func(step Step) {
		for _, c := range step.Counts {
			if c.What == funnel.Abandoned || c.What == funnel.Returned {
				counted = append(counted, c.What.String()+" "+c.Page.ID)
			}
		}
	}
	note(f.shown("1"))
	note(f.loaded("1"))
	note(f.silence())
	note(f.silence())
	note(f.next("2"))
	note(f.answer("2"))
	if diff := cmp.Diff([]string{"abandoned ", "abandoned 1", "returned ", "returned 1"}, counted); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}
