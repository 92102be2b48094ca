package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules/config"
)

// pseudonyms in these tests have this key; printf %s p | openssl dgst -sha256 -hmac 'a key of sixteen' makes them.
const (
	testKey      = "a key of sixteen"
	pseudonymOfP = "b12f36fd59fef709c66cfe2f6cabfe8808db21b3df99132c9f686fb1089613bc"
)

// answeredPages is an event of a participant who answered on three pages, cleared
// an answer on one and skipped one.
func answeredPages() *Event {
	return &Event{
		Participant: Participant{ID: "p"},
		From:        PageRef{ID: "five", Number: 5},
		Traceparent: "00-trace",
		Responses: []Response{
			{Page: PageRef{ID: "one", Number: 1, Name: new("Consent")}, Item: "i1", Type: new("Confirmation"), Answer: []byte(`{"confirmed":true}`)},
			{Page: PageRef{ID: "two", Number: 2, Name: new("Contact")}, Item: "i2", Type: new("Free Text"), Answer: []byte(`{"text":"p","at":["p","q",null,7]}`)},
			{Page: PageRef{ID: "three", Number: 3, Name: new("1")}, Item: "i3", Type: new("Free Text"), Answer: []byte(`{"text":"p"}`)},
			{Page: PageRef{ID: "four", Number: 4}, Item: "i4", Type: new("Free Text"), Answer: []byte(`{}`)},
			{Page: PageRef{ID: "five", Number: 5}, Item: "i5", Type: new("Free Text")},
		},
	}
}

func TestATargetSeesWhatItMaySee(t *testing.T) {
	f := func(target config.Target, want ...string) {
		t.Helper()
		event := answeredPages()
		target.Pseudonymise.Key = config.NewSecret(testKey)
		seen := NewRedaction(&target).Apply(event)
		got := []string{seen.Participant.ID}
		for i := range seen.Responses {
			r := &seen.Responses[i]
			got = append(got, r.Page.ID+" "+string(seen.state(r))+" "+string(r.Answer))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", target, diff)
		}
		if diff := cmp.Diff(answeredPages(), event); diff != "" {
			t.Errorf("%+v changes the event itself (-want +got):\n%s", target, diff)
		}
	}
	const (
		one, two, three = `one answered {"confirmed":true}`, `two answered {"text":"p","at":["p","q",null,7]}`, `three answered {"text":"p"}`
		four, five      = `four cleared {}`, `five skipped `
	)
	f(config.Target{}, "p", one, two, three, four, five)
	// only: by page (number or name), by type, by both
	f(config.Target{Only: []config.AnswerPart{}}, "p")
	f(config.Target{Only: []config.AnswerPart{{Page: config.PageName{Number: 1}}}}, "p", one)
	f(config.Target{Only: []config.AnswerPart{{Page: config.PageName{Name: "1"}}}}, "p", three)
	f(config.Target{Only: []config.AnswerPart{{Item: "i1"}, {Item: "*3"}}}, "p", one, three)
	f(config.Target{Only: []config.AnswerPart{{Type: "Free Text"}}}, "p", two, three, four, five)
	f(config.Target{Only: []config.AnswerPart{{Type: "Free Text", Page: config.PageName{Name: "Contact"}}, {Type: "Confirmation"}}}, "p", one, two)
	f(config.Target{Only: []config.AnswerPart{{Type: "Free Text", Page: config.PageName{Name: "Consent"}}}}, "p")
	// redact: the participant, whole answers, parts
	f(config.Target{Redact: config.Redact{Participant: true}}, "", one, two, three, four, five)
	f(config.Target{Redact: config.Redact{Answers: []config.AnswerPart{{Type: "Free Text"}}}}, "p", one, `two answered `, `three answered `, four, five)
	f(config.Target{Redact: config.Redact{Answers: []config.AnswerPart{{Page: config.PageName{Number: 2}, Path: "text"}}}}, "p", one, `two answered {"text":null,"at":["p","q",null,7]}`, three, four, five)
	f(config.Target{Redact: config.Redact{Answers: []config.AnswerPart{{Path: "at.0"}, {Path: "confirmed"}}}}, "p", `one answered {"confirmed":null}`, `two answered {"text":"p","at":[null,"q",null,7]}`, three, four, five)
	// pseudonymise: one value has one pseudonym, wherever it stands
	f(config.Target{Pseudonymise: config.Pseudonymise{Participant: true}}, pseudonymOfP, one, two, three, four, five)
	f(config.Target{Pseudonymise: config.Pseudonymise{Answers: []config.AnswerPart{{Path: "text"}, {Type: "Free Text", Path: "text"}, {Path: "at.2"}}}},
		"p", one, `two answered {"text":"`+pseudonymOfP+`","at":["p","q",null,7]}`, `three answered {"text":"`+pseudonymOfP+`"}`, four, five)
	f(config.Target{Only: []config.AnswerPart{{Page: config.PageName{Number: 1}}}, Pseudonymise: config.Pseudonymise{Answers: []config.AnswerPart{{Type: "Confirmation"}}}},
		"p", `one answered {"pseudonym":"`+pseudonym([]byte(testKey), []byte(`{"confirmed":true}`))+`"}`)
	// what is redacted is not pseudonymised
	f(config.Target{
		Only:         []config.AnswerPart{{Page: config.PageName{Number: 2}}},
		Redact:       config.Redact{Answers: []config.AnswerPart{{Path: "text"}}},
		Pseudonymise: config.Pseudonymise{Answers: []config.AnswerPart{{Path: "*"}}},
	}, "p", `two answered {"text":null,"at":"`+pseudonym([]byte(testKey), []byte(`["p","q",null,7]`))+`"}`)
	f(config.Target{
		Redact:       config.Redact{Answers: []config.AnswerPart{{}}},
		Pseudonymise: config.Pseudonymise{Answers: []config.AnswerPart{{}}},
	}, "p", `one answered `, `two answered `, `three answered `, four, five)
}

func TestAnAnswerThatIsNotJSONIsRedactedWhole(t *testing.T) {
	for _, answer := range []string{`{"text":`, `{"text":"a"}}`, nested(100)} {
		event := &Event{Responses: []Response{{Answer: []byte(answer)}}}
		target := config.Target{Redact: config.Redact{Answers: []config.AnswerPart{{Path: "text"}}}}
		seen := NewRedaction(&target).Apply(event).Responses[0]
		if seen.Answer != nil || !seen.Redacted {
			t.Errorf("%.20s: %s is left", answer, seen.Answer)
		}
	}
}

func nested(depth int) string {
	text := "1"
	for range depth {
		text = "[" + text + "]"
	}
	return text
}

func TestATargetThatMustNotKnowTheParticipantGetsNoTraceparent(t *testing.T) {
	f := func(target config.Target, want string) {
		t.Helper()
		if got := NewRedaction(&target).Apply(answeredPages()).Traceparent; got != want {
			t.Errorf("%+v: traceparent %q, want %q", target, got, want)
		}
	}
	f(config.Target{}, "00-trace")
	f(config.Target{Redact: config.Redact{Answers: []config.AnswerPart{{Type: "Free Text"}}}}, "00-trace")
	f(config.Target{Redact: config.Redact{Participant: true}}, "")
	f(config.Target{Pseudonymise: config.Pseudonymise{Participant: true}}, "")
}

func TestPseudonymsDoNotDependOnEscapes(t *testing.T) {
	key := []byte(testKey)
	if got := pseudonymOf(key, []byte(`"\u0070"`)); got != pseudonymOfP {
		t.Errorf("an escaped text has the pseudonym %s, want %s", got, pseudonymOfP)
	}
	if pseudonymOf(key, []byte("1")) != pseudonymOf(key, []byte(`"1"`)) {
		t.Error("a number and its text have two pseudonyms")
	}
	if pseudonym([]byte("another key here"), []byte("p")) == pseudonymOfP {
		t.Error("two keys make one pseudonym")
	}
}

func TestAHiddenParticipantIsNotPseudonymous(t *testing.T) {
	f := func(target config.Target, want visibility, name string) {
		t.Helper()
		if got := visibilityOf(&target); got != want || got.String() != name {
			t.Errorf("the participant is %s, want %s", got, name)
		}
	}
	redact, pseudonymise := config.Redact{Participant: true}, config.Pseudonymise{Participant: true}
	f(config.Target{}, visible, "visible")
	f(config.Target{Pseudonymise: pseudonymise}, pseudonymous, "pseudonymous")
	f(config.Target{Redact: redact}, hidden, "hidden")
	f(config.Target{Redact: redact, Pseudonymise: pseudonymise}, hidden, "hidden")
	if got := visibility(9).String(); got != "visibility(9)" {
		t.Errorf("an unknown visibility is named %s", got)
	}
}
