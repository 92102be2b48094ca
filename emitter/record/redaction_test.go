package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

const pseudonymKey = "a key of sixteen"

// generator draws events in which every id and answer has a mark of its own.
type generator struct {
	t     *rapid.T
	marks int
}

func (g *generator) mark() string {
	g.marks++
	odd := rapid.SampledFrom([]string{"", `"`, `\`, "ü", "\u2028", "\n", "<>&"}).Draw(g.t, "odd")
	return fmt.Sprintf("mark-%d-of-it%s", g.marks, odd)
}

// answer draws an answer: some of its texts are at text, some under other names.
func (g *generator) answer() []byte {
	value := map[string]any{}
	for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"text", "other", "deep"}), rapid.ID).Draw(g.t, "names") {
		switch name {
		case "deep":
			value[name] = map[string]any{"text": g.mark(), "list": []any{g.mark(), map[string]any{"text": g.mark()}}}
		default:
			value[name] = g.mark()
		}
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		g.t.Fatal(err)
	}
	return encoded
}

func (g *generator) event() *rules.Event {
	event := &rules.Event{
		Place:       1,
		At:          time.Unix(1_700_000_000, 0),
		Survey:      rules.Survey{ID: "5", Instance: "3", FriendlyID: "fzd"},
		Participant: rules.Participant{ID: g.mark()},
		From:        rules.PageRef{ID: "page", Number: 1, Position: 1},
		Traceparent: g.mark(),
	}
	for number := range rapid.IntRange(0, 5).Draw(g.t, "pages") {
		response := rules.Response{
			Page: rules.PageRef{ID: fmt.Sprint("page", number), Number: number + 1, Name: new(fmt.Sprint("Page ", number))},
			Type: new(rapid.SampledFrom([]string{"Free Text", "Choose One"}).Draw(g.t, "type")),
			Left: rapid.Bool().Draw(g.t, "left"),
		}
		if rapid.Bool().Draw(g.t, "is answered") {
			response.Answer = g.answer()
		}
		event.Responses = append(event.Responses, response)
	}
	return event
}

func (g *generator) parts(name string, paths ...string) []config.AnswerPart {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) config.AnswerPart {
		return config.AnswerPart{
			Page: rapid.SampledFrom([]config.PageName{{}, {Number: 1}, {Name: "Page 1"}}).Draw(t, "page"),
			Type: rapid.SampledFrom([]string{"", "Free Text"}).Draw(t, "type"),
			Path: rapid.SampledFrom(paths).Draw(t, "path"),
		}
	}), 0, 3).Draw(g.t, name)
}

func (g *generator) target() config.Target {
	paths := []string{"", "text", "deep", "deep.text", "deep.list.*", "*", "deep.list.1.text"}
	target := config.Target{
		Format:       rapid.SampledFrom([]config.Format{config.FormatDecsys, config.FormatStandard, config.FormatCloudEvents}).Draw(g.t, "format"),
		Redact:       config.Redact{Participant: rapid.Bool().Draw(g.t, "redacts who"), Answers: g.parts("redact", paths...)},
		Pseudonymise: config.Pseudonymise{Key: config.NewSecret(pseudonymKey), Participant: rapid.Bool().Draw(g.t, "replaces who"), Answers: g.parts("pseudonymise", paths...)},
	}
	if rapid.Bool().Draw(g.t, "has only") {
		target.Only = append([]config.AnswerPart{}, g.parts("only", "")...)
	}
	return target
}

// hiddenFrom lists the bytes that the target must not get. Unlike the code under
// test, it finds them by gjson paths.
func hiddenFrom(target config.Target, event *rules.Event) []string {
	var hidden []string
	if target.Redact.Participant || target.Pseudonymise.Participant {
		hidden = append(hidden, event.Participant.ID, event.Traceparent)
	}
	for i := range event.Responses {
		response := &event.Responses[i]
		if target.Only != nil && !named(target.Only, response) {
			hidden = append(hidden, marksIn(gjson.ParseBytes(response.Answer))...)
		}
		for _, part := range append(append([]config.AnswerPart{}, target.Redact.Answers...), target.Pseudonymise.Answers...) {
			if named([]config.AnswerPart{part}, response) {
				hidden = append(hidden, marksIn(at(response.Answer, part.Path))...)
			}
		}
	}
	return hidden
}

func named(parts []config.AnswerPart, response *rules.Response) bool {
	for _, part := range parts {
		page := part.Page == config.PageName{} || part.Page.Number == response.Page.Number && part.Page.Number > 0 ||
			response.Page.Name != nil && part.Page.Name == *response.Page.Name && part.Page.Name != ""
		if page && (part.Type == "" || response.Type != nil && part.Type == *response.Type) {
			return true
		}
	}
	return false
}

// at is what a path of the tests leads to.
func at(answer []byte, path string) gjson.Result {
	if path == "" || path == "*" {
		return gjson.ParseBytes(answer)
	}
	return gjson.GetBytes(answer, strings.TrimSuffix(path, ".*"))
}

// marksIn lists the marks in a value, as they are and as JSON writes them.
func marksIn(value gjson.Result) []string {
	if value.Type == gjson.String {
		mark, _, _ := strings.Cut(value.Str, "-of-it")
		return []string{value.Str, value.Raw, mark + "-"}
	}
	var marks []string
	value.ForEach(func(_, member gjson.Result) bool {
		if value.IsObject() || value.IsArray() {
			marks = append(marks, marksIn(member)...)
		}
		return true
	})
	return marks
}

func TestNothingThatATargetMustNotSeeIsStoredForIt(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := &generator{t: rt}
		event, target := g.event(), g.target()
		open := config.Target{Format: target.Format}
		routing := newRouting(&config.Config{
			Targets: map[string]config.Target{"closed": target, "open": open},
			Rules:   []config.Rule{{To: []string{"open", "closed"}}},
		})
		key := rules.Key{Instance: "3", Participant: event.Participant.ID}
		made := routing.deliveries("epoch", key, event)
		if len(made) != 2 {
			rt.Fatalf("%d deliveries, want 2", len(made))
		}
		for _, mark := range hiddenFrom(target, event) {
			if stored := storedOf(made[1]); strings.Contains(stored, mark) {
				rt.Errorf("%q is stored for a target that must not see it:\n%s", mark, stored)
			}
		}
		if !json.Valid(made[1].Body) {
			rt.Errorf("is no JSON: %s", made[1].Body)
		}
		// The one that sees everything gets what it would get alone.
		alone := newRouting(&config.Config{Targets: map[string]config.Target{"open": open}, Rules: []config.Rule{{To: []string{"open"}}}})
		if want := alone.deliveries("epoch", key, event)[0].Body; !bytes.Equal(made[0].Body, want) {
			rt.Errorf("another target's redaction changes\n%s to\n%s", want, made[0].Body)
		}
	})
}

// storedOf is all of a delivery that is stored and can be read.
func storedOf(d outbox.Delivery) string {
	return strings.Join([]string{d.ID, d.Target, d.Rule, d.Event, d.Survey, d.ContentType, d.Traceparent, string(d.Body)}, "\n")
}

func TestDecsysFormatHasThePseudonymWhereverItHasTheParticipant(t *testing.T) {
	event := skippedComfort(t)
	target := config.Target{Format: config.FormatDecsys, Pseudonymise: config.Pseudonymise{Key: config.NewSecret(pseudonymKey), Participant: true}}
	plain := string(decsysBody(envelope{}, event))
	pseudonymised := rules.NewRedaction(&target).Apply(event)
	want := strings.ReplaceAll(plain, event.Participant.ID, pseudonymised.Participant.ID)
	if got := string(decsysBody(envelope{}, pseudonymised)); got != want || got == plain || strings.Count(got, pseudonymised.Participant.ID) != 2 {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestABodyWithRedactedAnswersKeepsItsShape(t *testing.T) {
	event := skippedComfort(t)
	target := config.Target{Redact: config.Redact{Participant: true, Answers: []config.AnswerPart{{Type: "Confirmation"}}}}
	seen := rules.NewRedaction(&target).Apply(event)
	f := func(body []byte, path, want string) {
		t.Helper()
		if got := gjson.GetBytes(body, path); got.Raw != want {
			t.Errorf("%s is %s, want %s", path, got.Raw, want)
		}
	}
	decsys, standard, cloud := decsysBody(envelope{}, seen), standardBody(envelope{rule: "all"}, seen), cloudEventBody(aboutSkipped, seen)
	f(decsys, "ParticipantId", `""`)
	f(decsys, "Payload.Id", `""`)
	f(decsys, "Payload.Responses.0.Response", `{}`)
	f(decsys, "Payload.Responses.0.ResponseRecorded", `"2025-03-04T09:14:31.902344+00:00"`)
	f(decsys, "Payload.Responses.1.Response", `null`)
	f(standard, "data.participant.id", `""`)
	f(standard, "data.responses.0.response", `null`)
	f(standard, "data.responses.0.state", `"answered"`)
	f(standard, "data.responses.1.state", `"skipped"`)
	f(cloud, "data.responses.0.state", `"answered"`)
}

func TestRulesSeeWhatTargetsMustNot(t *testing.T) {
	routing := newRouting(&config.Config{
		Targets: map[string]config.Target{"crm": {Format: config.FormatStandard, Only: []config.AnswerPart{}, Redact: config.Redact{Participant: true}}},
		Rules:   []config.Rule{{When: "responses.#(page==1).response.confirmed", To: []string{"crm"}}},
	})
	if n := len(routing.deliveries("epoch", rules.Key{}, skippedComfort(t))); n != 1 {
		t.Errorf("%d deliveries, want 1", n)
	}
}

func TestIDsDoNotRevealAHiddenParticipant(t *testing.T) {
	hidden := config.Target{Format: config.FormatCloudEvents, Redact: config.Redact{Participant: true}}
	open := config.Target{Format: config.FormatCloudEvents}
	routing := newRouting(&config.Config{
		Targets: map[string]config.Target{"one": hidden, "other": hidden, "open": open, "open too": open},
		Rules:   []config.Rule{{To: []string{"one", "other", "open", "open too"}}},
	})
	key := rules.Key{Instance: "3", Participant: "p"}
	event := skippedComfort(t)
	ids := map[string]int{}
	for _, d := range routing.deliveries("epoch", key, event) {
		ids[d.ID]++
		ids[gjson.GetBytes(d.Body, "id").Str]++
	}
	// four webhook-ids, and the event's id: one for those who see everything, one each for the others
	if len(ids) != 7 {
		t.Errorf("%d ids, want 7: %v", len(ids), ids)
	}
	again, elsewhere := routing.deliveries("epoch", key, event)[0], routing.deliveries("another epoch", key, event)[0]
	if first := routing.deliveries("epoch", key, event)[0]; first.ID != again.ID || !bytes.Equal(first.Body, again.Body) {
		t.Error("the same event has two ids")
	}
	if again.ID == elsewhere.ID || gjson.GetBytes(again.Body, "id").Str == gjson.GetBytes(elsewhere.Body, "id").Str {
		t.Error("an id does not depend on the store's epoch, so that it could be guessed from a participant's id")
	}
}

func TestTheStateFileHoldsRedactedBodies(t *testing.T) {
	d := newTestRecorder(t, t.TempDir())
	cfg := &config.Config{
		Targets: map[string]config.Target{
			"crm": {Format: config.FormatDecsys, Redact: config.Redact{Answers: []config.AnswerPart{{Path: "text"}}}, Pseudonymise: config.Pseudonymise{Key: config.NewSecret(pseudonymKey), Participant: true}},
		},
		Rules: []config.Rule{{To: []string{"crm"}}},
	}
	d.routing.Store(newRouting(cfg))
	d.get(showPage1)
	d.load("one")
	d.begin("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")(rules.Exchange{Status: 204, RequestBody: []byte(`{"text":"private"}`)})
	d.next(showPage2)
	got := d.deliveries()
	if len(got) != 1 {
		t.Fatalf("%d deliveries, want 1", len(got))
	}
	f := func(path, want string) {
		t.Helper()
		if found := gjson.GetBytes(got[0].Body, path).Raw; found != want {
			t.Errorf("%s is %s, want %s", path, found, want)
		}
	}
	f("ParticipantId", `"b12f36fd59fef709c66cfe2f6cabfe8808db21b3df99132c9f686fb1089613bc"`)
	f("Payload.Id", `"b12f36fd59fef709c66cfe2f6cabfe8808db21b3df99132c9f686fb1089613bc"`)
	f("Payload.Responses.0.Response", `{"text":null}`)
}
