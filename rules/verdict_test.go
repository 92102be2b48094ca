package rules

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sidehook/sidehook/rules/config"
)

func TestExplainHasTheValueThatWasFound(t *testing.T) {
	event := &Event{
		Survey:    Survey{ID: "5", Instance: "3", FriendlyID: "fzd", Study: "hzd"},
		From:      PageRef{ID: "c", Number: 3, Position: 2, Name: new("Comfort")},
		Responses: []Response{{Page: PageRef{ID: "c", Number: 1}, Answer: []byte(`{"confirmed":true,"list":[]}`)}},
	}
	f := func(rule config.Rule, want ...Check) {
		t.Helper()
		got := Compile([]config.Rule{rule}).Explain(event)[0].Checks
		if diff := cmp.Diff(append([]Check{}, want...), got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", rule, diff)
		}
	}
	f(config.Rule{})
	f(config.Rule{On: []config.EventName{config.Completion}}, Check{"on", true, "completion", "page_navigation, completion"})
	f(config.Rule{Surveys: []string{"fzd", "12"}}, Check{"surveys", true, "fzd, 12", "5, 5/3, fzd, hzd"})
	f(config.Rule{SourcePages: []config.PageName{{Number: 2}, {Name: "comfort"}}}, Check{"source_pages", false, `2, "comfort"`, `3, "Comfort"`})
	f(config.Rule{SourcePositions: []int{3}}, Check{"source_positions", false, "3", "2"})
	// when: the value, or how far the path leads
	f(config.Rule{When: "responses.#(page==1).response.confirmed"}, Check{"when", true, "responses.#(page==1).response.confirmed", "true"})
	f(config.Rule{When: "responses.#(page==1).response.list"}, Check{"when", false, "responses.#(page==1).response.list", "[]"})
	f(config.Rule{When: "responses.#(page==1).response.agreed"}, Check{"when", false, "responses.#(page==1).response.agreed", `nothing; responses.#(page==1).response is {"confirmed":true,"list":[]}`})
	f(config.Rule{When: "answers.#(page==1).response"}, Check{"when", false, "answers.#(page==1).response", "nothing"})
	f(config.Rule{When: `survey.friendly\.id`}, Check{"when", false, `survey.friendly\.id`, `nothing; survey is {"id":"5","instance":"3","friendly_id":"fzd","study":"hzd"}`})
	f(config.Rule{On: []config.EventName{config.PageNavigation}, When: "to"}, Check{"on", true, "page_navigation", "page_navigation, completion"}, Check{"when", false, "to", "null"})
}

func TestExplainAgreesWithSelect(t *testing.T) {
	events := []config.EventName{config.PageNavigation, config.Completion}
	surveys := []string{"5", "5/3", "6", "fzd", "hzd", "5/4"}
	pages := []config.PageName{{Number: 1}, {Number: 2}, {Name: "One"}, {Name: "Two"}}
	paths := []string{"", "completed", "to", "responses", "responses.0.response.a", "survey.study"}
	some := func(rt *rapid.T, name string, n int) []int {
		return rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, 2, rapid.ID).Draw(rt, name)
	}
	rapid.Check(t, func(rt *rapid.T) {
		event := &Event{
			Survey:    Survey{ID: "5", Instance: rapid.SampledFrom([]string{"3", "4"}).Draw(rt, "instance"), FriendlyID: "fzd", Study: rapid.SampledFrom([]string{"", "hzd"}).Draw(rt, "study")},
			From:      PageRef{ID: "p", Number: rapid.IntRange(0, 2).Draw(rt, "number"), Position: rapid.IntRange(0, 2).Draw(rt, "position"), Name: new(rapid.SampledFrom([]string{"", "One", "Two"}).Draw(rt, "name"))},
			Responses: []Response{{Answer: []byte(rapid.SampledFrom([]string{`{"a":true}`, `{"a":false}`, `{}`}).Draw(rt, "answer"))}},
		}
		if rapid.Bool().Draw(rt, "goes on") {
			event.To = &PageRef{ID: "q"}
		}
		rule := config.Rule{Name: "one", When: rapid.SampledFrom(paths).Draw(rt, "when"), To: []string{"crm"}}
		for _, i := range some(rt, "on", len(events)) {
			rule.On = append(rule.On, events[i])
		}
		for _, i := range some(rt, "surveys", len(surveys)) {
			rule.Surveys = append(rule.Surveys, surveys[i])
		}
		for _, i := range some(rt, "pages", len(pages)) {
			rule.SourcePages = append(rule.SourcePages, pages[i])
		}
		rule.SourcePositions = append(rule.SourcePositions, some(rt, "positions", 3)...)
		set := Compile([]config.Rule{rule})
		selected := slices.ContainsFunc(set.Select(event), func(s Selection) bool { return s.Rule == "one" })
		if verdict := set.Explain(event)[0]; verdict.Fires != selected {
			rt.Errorf("%+v is explained as %+v, but selected: %v", rule, verdict, selected)
		}
	})
}
