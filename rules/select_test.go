package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestARuleFiresOnWhatItNames(t *testing.T) {
	event := &Event{
		Survey:      Survey{ID: "5", Instance: "3", FriendlyID: "fzd", Study: "hzd"},
		Participant: Participant{ID: "p"},
		From:        PageRef{ID: "a", Number: 3, Position: 2, Name: "Comfort"},
		To:          &PageRef{ID: "b", Number: 2, Position: 3},
		Responses:   []Response{{Page: PageRef{ID: "c", Number: 1}, Answer: []byte(`{"confirmed":true,"list":[]}`)}},
	}
	last := *event
	last.To = nil
	f := func(e *Event, rule Rule, want bool) {
		t.Helper()
		rule.To = []string{"crm"}
		if got := len(Compile([]Rule{rule}).Select(e)) == 1; got != want {
			t.Errorf("%+v fires: %v, want %v", rule, got, want)
		}
	}
	f(event, Rule{}, true)
	f(&last, Rule{}, true)
	// events: a completion is a page navigation too
	f(event, Rule{On: []EventName{PageNavigation}}, true)
	f(event, Rule{On: []EventName{Completion}}, false)
	f(&last, Rule{On: []EventName{PageNavigation}}, true)
	f(&last, Rule{On: []EventName{Completion}}, true)
	// surveys
	f(event, Rule{Surveys: []string{"fzd"}}, true)
	f(event, Rule{Surveys: []string{"hzd"}}, true)
	f(event, Rule{Surveys: []string{"5"}}, true)
	f(event, Rule{Surveys: []string{"5/3"}}, true)
	f(event, Rule{Surveys: []string{"05/03"}}, true)
	f(event, Rule{Surveys: []string{"1", "5/4", "gzd"}}, false)
	// pages, by number or name, and positions
	f(event, Rule{SourcePages: []PageName{{Number: 3}}}, true)
	f(event, Rule{SourcePages: []PageName{{Name: "Comfort"}}}, true)
	f(event, Rule{SourcePages: []PageName{{Number: 2}, {Name: "comfort"}}}, false)
	f(event, Rule{SourcePositions: []int{1, 2}}, true)
	f(event, Rule{SourcePositions: []int{3}}, false)
	// when: fires unless missing, null, false or []
	f(event, Rule{When: "responses.#(page==1).response.confirmed"}, true)
	f(event, Rule{When: "responses.#(page==2).response.confirmed"}, false)
	f(event, Rule{When: "responses.#(page==1).response.list"}, false)
	f(event, Rule{When: "completed"}, false)
	f(&last, Rule{When: "completed"}, true)
	f(&last, Rule{When: "to"}, false)
	f(event, Rule{When: "survey.id"}, true)
	// all of a rule must hold
	f(event, Rule{Surveys: []string{"fzd"}, SourcePositions: []int{9}}, false)
}

func TestATargetGetsAnEventOnceInTheNameOfTheFirstRule(t *testing.T) {
	set := Compile([]Rule{
		{Name: "never", Surveys: []string{"9"}, To: []string{"crm"}},
		{Name: "first", To: []string{"crm", "chat"}},
		{To: []string{"chat", "lake", "crm"}},
	})
	want := []Selection{{"first", "crm"}, {"first", "chat"}, {"rules[2]", "lake"}}
	if diff := cmp.Diff(want, set.Select(&Event{Survey: Survey{ID: "5"}})); diff != "" {
		t.Errorf("selected (-want +got):\n%s", diff)
	}
}
