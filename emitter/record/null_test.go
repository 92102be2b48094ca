package record

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// firstPage is what Decsys responds to a participant who is on the first page.
const firstPage = `{"surveyId":5,"instanceId":3,"participantId":"p","newParticipantId":null,` +
	`"page":{"id":"one","name":"Consent","order":1,"components":[` +
	`{"type":"heading","order":1,"id":"h","params":{"text":"Agree?"},"isQuestionItem":true,"isOptional":false},` +
	`{"type":"Confirmation","order":2,"id":"c","params":{},"isQuestionItem":false,"isOptional":true}` +
	`],"randomize":false},"isLastPage":false,"pageCount":2}`

// leaveFirstPage returns the event of a participant who was shown a page, loaded
// it, answered and went on.
func leaveFirstPage(t *testing.T, shown string) *rules.Event {
	t.Helper()
	profile, fold := decsysProfile(t), rules.Fold{Journeys: rules.NewJourneysInMemory()}
	observe := func(method, target string, x rules.Exchange) []*rules.Event {
		t.Helper()
		match, _ := profile.Match([]byte(method), []byte(target))
		observation, ok, err := profile.Observe(match, x)
		if !ok || err != nil {
			t.Fatalf("%s %s is no observation: %v", method, target, err)
		}
		observation.At = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		return fold.Observe(observation).Events
	}
	page := func(body string) rules.Exchange {
		return rules.Exchange{Status: 200, ContentType: "application/json", ResponseBody: []byte(body)}
	}
	observe("GET", "/api/progress/5/3/p", page(shown))
	observe("POST", "/api/log/3/p/one/decsys.platform.PAGE_LOAD", rules.Exchange{Status: 204})
	observe("POST", "/api/log/3/p/c/decsys.platform.COMPONENT_RESULTS", rules.Exchange{Status: 204, RequestBody: []byte(`{"confirmed":true}`)})
	return observe("POST", "/api/progress/5/3/p/next", page(`{"page":{"id":"two","name":null,"order":2,"components":[]},"pageCount":2}`))[0]
}

// Decsys' models decide what may be null on the wire: a page's name, an item's
// type and the text of a question are strings; a page's order and whether an item
// is optional are not nullable. Its webhook has every key, null where there is no
// value; only the text of a question that has none is "".
func TestNullStaysNullInEveryFormat(t *testing.T) {
	const missing = ""
	// f puts a JSON value in the place of a field's own, and wants a value in the
	// body of format decsys and one in that of format standard.
	f := func(field, own, wire, decsysPath, decsys, standardPath, standard string) {
		t.Helper()
		replaced := `"` + field + `":` + wire
		if wire == missing {
			replaced = `"absent":0`
		}
		if !strings.Contains(firstPage, `"`+field+`":`+own) {
			t.Fatalf("the page has no %s %s", field, own)
		}
		event := leaveFirstPage(t, strings.Replace(firstPage, `"`+field+`":`+own, replaced, 1))
		bodies := map[string]string{}
		for name, format := range formats {
			bodies[string(name)] = string(format.body(aboutSkipped, event))
		}
		got := []string{gjson.Get(bodies["decsys"], decsysPath).Raw, gjson.Get(bodies["standard"], standardPath).Raw}
		if diff := cmp.Diff([]string{decsys, standard}, got); diff != "" {
			t.Errorf("%s %s in decsys and standard (-want +got):\n%s", field, wire, diff)
		}
		if gjson.Get(bodies["cloudevents"], "data").Raw != gjson.Get(bodies["standard"], "data").Raw {
			t.Errorf("%s %s: cloudevents and standard have different data", field, wire)
		}
		for name, body := range bodies {
			if err := violation(t, schemaOf(t, config.Format(name)), []byte(body)); err != nil {
				t.Errorf("%s, %s %s: %v", name, field, wire, err)
			}
		}
	}
	const responses, data = "Payload.Responses.0.", "data.responses.0."

	name := func(wire, want string) {
		t.Helper()
		f("name", `"Consent"`, wire, responses+"PageName", want, data+"page_name", want)
		f("name", `"Consent"`, wire, "EventType.Name", `"PAGE_NAVIGATION"`, "data.from.name", want)
	}
	name("null", "null")
	name(missing, "null")
	name(`""`, `""`)
	name(`"Consent"`, `"Consent"`)

	itemType := func(wire, want string) {
		t.Helper()
		f("type", `"Confirmation"`, wire, responses+"ResponseType", want, data+"type", want)
	}
	itemType("null", "null")
	itemType(missing, "null")
	itemType(`""`, `""`)
	itemType(`"Confirmation"`, `"Confirmation"`)

	question := func(field, own, wire, want string) {
		t.Helper()
		f(field, own, wire, responses+"Question", want, data+"question", want)
	}
	question("text", `"Agree?"`, "null", `""`)
	question("text", `"Agree?"`, missing, `""`)
	question("text", `"Agree?"`, `""`, `""`)
	question("text", `"Agree?"`, `"Agree?"`, `"Agree?"`)
	question("params", `{"text":"Agree?"}`, "null", `""`)
	question("params", `{"text":"Agree?"}`, missing, `""`)
	question("isQuestionItem", "true", "null", `"Agree?"`) // the first content item asks then
	question("isQuestionItem", "true", missing, `"Agree?"`)

	order := func(wire, want string) {
		t.Helper()
		f("order", "1", wire, responses+"Page", want, data+"page", want)
	}
	order("null", "0")
	order(missing, "0")
	order(`""`, "0")
	order("1", "1")
	order("7", "7")

	optional := func(wire, want string) {
		t.Helper()
		f("isOptional", "true", wire, responses+"IsOptional", want, data+"optional", want)
	}
	optional("null", "false")
	optional(missing, "false")
	optional(`""`, "false")
	optional("true", "true")

	answerOf := func(wire, want string) { // an item without an id takes nobody's answer
		t.Helper()
		f("id", `"c"`, wire, responses+"Response", want, data+"response", want)
	}
	answerOf("null", "null")
	answerOf(missing, "null")
	answerOf(`""`, "null")
	answerOf(`"c"`, `{"confirmed":true}`)

	ids := func(field, own, wire string) { // the path has them too
		t.Helper()
		f(field, own, wire, "SurveyId", `"fzd"`, "data.survey.friendly_id", `"fzd"`)
	}
	ids("surveyId", "5", "null")
	ids("surveyId", "5", missing)
	ids("instanceId", "3", missing)

	count := func(wire, want string) {
		t.Helper()
		f("pageCount", "2", wire, "Payload.Responses.#", "1", "data.page_count", want)
	}
	count("null", "2") // the next response has it
	count(missing, "2")

	f("name", `"Consent"`, `"Consent"`, "EventType.TargetPage", "0", "data.to.name", "null") // of the page reached
}

func TestAPageWithoutContentHasNoQuestion(t *testing.T) {
	heading := `{"type":"heading","order":1,"id":"h","params":{"text":"Agree?"},"isQuestionItem":true,"isOptional":false},`
	event := leaveFirstPage(t, strings.Replace(firstPage, heading, "", 1))
	if got := gjson.GetBytes(decsysBody(aboutSkipped, event), "Payload.Responses.0.Question").Raw; got != "null" {
		t.Errorf("format decsys has the question %s, want null", got)
	}
	if got := gjson.GetBytes(standardBody(aboutSkipped, event), "data.responses.0.question").Raw; got != "null" {
		t.Errorf("format standard has the question %s, want null", got)
	}
}
