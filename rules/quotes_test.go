package rules

import (
	"testing"

	"github.com/sidehook/sidehook/rules/config"
)

func TestATextThatQuotesAHiddenAnswerIsHiddenToo(t *testing.T) {
	f := func(target config.Target, question string, want bool) {
		t.Helper()
		event := &Event{
			Participant: Participant{ID: "p-17"},
			Responses: []Response{
				{Page: PageRef{ID: "1"}, Item: "name", Answer: []byte(`"Ann Smith"`)},
				{Page: PageRef{ID: "1"}, Item: "tea", Answer: []byte(`"y"`), Options: []Option{{"y", "Yes, please"}, {"n", "No"}}},
				{Page: PageRef{ID: "2", Name: &question}, Item: "why", Question: &question, Answer: []byte(`"taste"`)},
			},
			From: PageRef{ID: "2", Name: &question},
		}
		seen := NewRedaction(&target).Apply(event)
		last := seen.Responses[len(seen.Responses)-1]
		for what, text := range map[string]*string{"question": last.Question, "page": last.Page.Name, "page left": seen.From.Name} {
			if (text != nil) != want {
				t.Errorf("%q: the %s is there: %v, want %v", question, what, text != nil, want)
			}
		}
		if event.From.Name == nil || event.Responses[2].Question == nil {
			t.Error("the event itself was changed")
		}
	}
	redact := func(item string) config.Target {
		return config.Target{Redact: config.Redact{Answers: []config.AnswerPart{{Item: item}}}}
	}
	f(redact("name"), "Why do you like it, ann smith?", false)
	f(redact("name"), "Why do you like it, Annabel Smith?", true)
	f(redact("name"), "Why do you like it?", true)
	f(redact("tea"), "You said «Yes, please». Why?", false)
	f(redact("tea"), "You said y. Why?", false)
	f(redact("tea"), "Why yes?", true)
	f(redact("tea"), "Why do you like it, Ann Smith?", true)
	f(config.Target{Only: []config.AnswerPart{{Item: "why"}}}, "Ann Smith, why?", false)
	f(config.Target{Redact: config.Redact{Participant: true}}, "Why, p-17?", false)
}

func TestALabelIsHiddenIfItQuotesWhatAParticipantWrote(t *testing.T) {
	f := func(label string, want bool) {
		t.Helper()
		options := []Option{{"1", label}}
		event := &Event{Responses: []Response{
			{Item: "name", Answer: []byte(`"Ann"`)}, {Item: "hidden", Answer: []byte(`"1"`), Options: options}, {Item: "shown", Answer: []byte(`"1"`), Options: options},
		}}
		target := config.Target{Only: []config.AnswerPart{{Item: "shown"}}}
		seen := NewRedaction(&target).Apply(event)
		if got := seen.Responses[0].Options[0].Label; (got != "") != want {
			t.Errorf("%q: the label %q is sent, want it sent: %v", label, got, want)
		}
	}
	f("Ann's choice", false)
	f("Yes", true) // as elsewhere
}
