package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules/config"
)

func TestARuleFiresOnWhatItNames(t *testing.T) {
	event := &Event{
		Survey:      Survey{ID: "5", Instance: "3", FriendlyID: "fzd", Study: "hzd"},
		Participant: Participant{ID: "p"},
		From:        PageRef{ID: "a", Number: 3, Position: 2, Name: new("Comfort")},
		To:          &PageRef{ID: "b", Number: 2, Position: 3},
		Responses:   []Response{{Page: PageRef{ID: "c", Number: 1}, Answer: []byte(`{"confirmed":true,"list":[]}`)}},
	}
	last := *event
	last.To = nil
	f := func(e *Event, rule config.Rule, want bool) {
		t.Helper()
		rule.To = []string{"crm"}
		if got := len(Compile([]config.Rule{rule}).Select(e)) == 1; got != want {
			t.Errorf("%+v fires: %v, want %v", rule, got, want)
		}
	}
	f(event, config.Rule{}, true)
	f(&last, config.Rule{}, true)
	// events: a completion is a page navigation too
	f(event, config.Rule{On: []config.EventName{config.PageNavigation}}, true)
	f(event, config.Rule{On: []config.EventName{config.Completion}}, false)
	f(&last, config.Rule{On: []config.EventName{config.PageNavigation}}, true)
	f(&last, config.Rule{On: []config.EventName{config.Completion}}, true)
	// surveys
	f(event, config.Rule{Surveys: []string{"fzd"}}, true)
	f(event, config.Rule{Surveys: []string{"hzd"}}, true)
	f(event, config.Rule{Surveys: []string{"5"}}, true)
	f(event, config.Rule{Surveys: []string{"5/3"}}, true)
	f(event, config.Rule{Surveys: []string{"05/03"}}, true)
	f(event, config.Rule{Surveys: []string{"1", "5/4", "gzd"}}, false)
	// pages, by number or name, and positions
	f(event, config.Rule{SourcePages: []config.PageName{{Number: 3}}}, true)
	f(event, config.Rule{SourcePages: []config.PageName{{Name: "Comfort"}}}, true)
	f(event, config.Rule{SourcePages: []config.PageName{{Number: 2}, {Name: "comfort"}}}, false)
	nameless := *event
	nameless.From.Name = nil
	f(&nameless, config.Rule{SourcePages: []config.PageName{{Name: "Comfort"}}}, false)
	f(&nameless, config.Rule{SourcePages: []config.PageName{{}}}, false)
	f(&nameless, config.Rule{SourcePages: []config.PageName{{Number: 3}}}, true)
	f(event, config.Rule{SourcePositions: []int{1, 2}}, true)
	f(event, config.Rule{SourcePositions: []int{3}}, false)
	// when: fires unless missing, null, false or []
	f(event, config.Rule{When: "responses.#(page==1).response.confirmed"}, true)
	f(event, config.Rule{When: "responses.#(page==2).response.confirmed"}, false)
	f(event, config.Rule{When: "responses.#(page==1).response.list"}, false)
	f(event, config.Rule{When: "completed"}, false)
	f(&last, config.Rule{When: "completed"}, true)
	f(&last, config.Rule{When: "to"}, false)
	f(event, config.Rule{When: "survey.id"}, true)
	// all of a rule must hold
	f(event, config.Rule{Surveys: []string{"fzd"}, SourcePositions: []int{9}}, false)
}

func TestATargetGetsAnEventOnceByTheFirstRule(t *testing.T) {
	set := Compile([]config.Rule{
		{Name: "never", Surveys: []string{"9"}, To: []string{"crm"}},
		{Name: "first", To: []string{"crm", "chat"}},
		{To: []string{"chat", "lake", "crm"}},
	})
	want := []Selection{{"first", "crm"}, {"first", "chat"}, {"rules[2]", "lake"}}
	if diff := cmp.Diff(want, set.Select(&Event{Survey: Survey{ID: "5"}})); diff != "" {
		t.Errorf("selected (-want +got):\n%s", diff)
	}
}
