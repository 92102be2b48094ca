package record

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

const showPage3 = `{"surveyId":5,"instanceId":3,"participantId":"p","newParticipantId":null,"page":{"id":"three","name":"","order":3,"components":[{"type":"Free Text","id":"i3"}]},"pageCount":3}`

// scenario is a recorder whose one target gets every event in format standard.
type scenario struct {
	*testRecorder
	dir string
}

func newScenario(t *testing.T) *scenario {
	t.Helper()
	s := &scenario{dir: t.TempDir()}
	s.open(t)
	return s
}

func (s *scenario) open(t testing.TB) {
	t.Helper()
	s.testRecorder = newIdleRecorder(t, s.dir, decsysProfile(t))
	s.Apply(&config.Config{
		Targets: map[string]config.Target{"lake": {Format: config.FormatStandard}},
		Rules:   []config.Rule{{To: []string{"lake"}}},
	})
	s.start()
}

// restart replaces the recorder by one with the same state directory. Exchanges in
// flight never end.
func (s *scenario) restart() {
	s.t.Helper()
	s.stop()
	s.open(s.t)
}

// events are the bodies made so far, oldest first.
func (s *scenario) events() (bodies []gjson.Result) {
	s.t.Helper()
	for _, listed := range s.all() {
		d, err := s.store.Load(listed.Seq)
		if err != nil {
			s.t.Fatal(err)
		}
		bodies = append(bodies, gjson.ParseBytes(d.Body))
	}
	return bodies
}

// summary lists the events: "one>two" is a navigation, "two>end" a completion.
func (s *scenario) summary() string {
	s.t.Helper()
	var words []string
	for _, event := range s.events() {
		word := event.Get("data.from.id").String() + ">" + event.Get("data.to.id").String()
		if event.Get("data.completed").Bool() {
			word += "end"
		}
		if event.Get("data.recovered").Bool() {
			word += " recovered"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func TestAMissedNavigationIsRecoveredOnceByTheNextPageShown(t *testing.T) {
	const (
		show   = "/api/progress/5/3/p"
		next   = "/api/progress/5/3/p/next"
		answer = "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS"
	)
	f := func(name, want string, steps func(s *scenario)) {
		t.Helper()
		s := newScenario(t)
		s.get(showPage1)
		s.load("one")
		steps(s)
		if got := s.summary(); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	f("after a restart", "one>two recovered", func(s *scenario) { s.restart(); s.get(showPage2) })
	f("the response to next was lost in a crash", "one>two recovered", func(s *scenario) { s.begin("POST", next); s.restart(); s.get(showPage2) })
	f("two steps are one navigation", "one>three recovered", func(s *scenario) { s.restart(); s.get(showPage3) })
	f("so they are when next shows the third page", "one>three", func(s *scenario) { s.restart(); s.next(showPage3) })
	f("later navigations are not recovered", "one>two recovered, two>three", func(s *scenario) { s.restart(); s.get(showPage2); s.load("two"); s.next(showPage3) })
	f("the end", "one>end recovered", func(s *scenario) { s.restart(); s.get(showEnd); s.get(showEnd); s.next(showEnd) })
	f("never again, not even after another restart", "one>two recovered", func(s *scenario) {
		s.get(showPage2)
		s.get(showPage2)
		s.restart()
		s.load("two")
		s.get(showPage2)
	})
	f("by one of two tabs", "one>two recovered", func(s *scenario) {
		s.get(showPage2)
		s.load("two")
		s.get(showPage2)
		s.load("two")
	})
	f("by one of two tabs that request it at the same moment", "one>two recovered", func(s *scenario) {
		left, right := s.begin("GET", show), s.begin("GET", show)
		left(page(showPage2))
		right(page(showPage2))
		s.load("two")
		s.load("two")
	})
	f("not while next is in flight, which makes the event itself", "one>two", func(s *scenario) {
		endNext := s.begin("POST", next)
		s.get(showPage2)
		endNext(page(showPage2))
		s.get(showPage2)
	})
	f("not backwards, by a page requested before next and shown after it", "one>two", func(s *scenario) {
		endGet := s.begin("GET", show)
		s.next(showPage2)
		endGet(page(showPage1))
		s.get(showPage2)
	})
	f("nor when another tab requests the page meanwhile", "one>two", func(s *scenario) {
		endGet := s.begin("GET", show)
		s.next(showPage2)
		s.get(showPage2)
		endGet(page(showPage1))
	})
	f("nor when another tab loads another page meanwhile", "", func(s *scenario) {
		endGet := s.begin("GET", show)
		s.load("two")
		endGet(page(showPage1))
	})
	f("not after the end, whatever is shown", "one>end", func(s *scenario) { s.next(showEnd); s.get(showPage2); s.get(showPage3) })
	f("not while an answer is in flight", "", func(s *scenario) { s.begin("POST", answer); s.get(showPage2) })
	f("but after it", "one>two recovered", func(s *scenario) {
		endAnswer := s.begin("POST", answer)
		s.get(showPage2)
		endAnswer(rules.Exchange{Status: 204, RequestBody: []byte(`{}`)})
		s.get(showPage2)
	})
}

func TestAnErrorFromAProxyInFrontOfTheAppMakesNoEventAndLosesNone(t *testing.T) {
	f := func(status int) {
		t.Helper()
		s := newScenario(t)
		failed := rules.Exchange{Status: status, ContentType: "application/json", ResponseBody: []byte(showPage2)}
		s.get(showPage1)
		s.begin("POST", "/api/progress/5/3/p/next")(failed)
		s.begin("GET", "/api/progress/5/3/p")(failed)
		s.begin("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")(rules.Exchange{Status: status, RequestBody: []byte(`{"text":"a"}`)})
		s.next(showPage2)
		if got := s.summary(); got != "one>two" {
			t.Errorf("with %d in between: %s, want one>two", status, got)
		}
	}
	f(502)
	f(503)
	f(504)
}

func TestPagesWithoutQuestionsMakeEventsWithoutResponses(t *testing.T) {
	const welcome = `{"surveyId":5,"instanceId":3,"participantId":"p","newParticipantId":null,"page":{"id":"welcome","name":"Welcome","order":1,` +
		`"components":[{"type":"heading","id":"h","params":{"text":"Hello"}},{"type":"image","id":"i","params":{}}]},"pageCount":2}`
	s := newScenario(t)
	s.get(welcome)
	s.load("welcome")
	s.next(showPage2) // an empty page
	s.load("two")
	s.next(showEnd)
	if got := s.summary(); got != "welcome>two, two>end" {
		t.Errorf("events are %s, want welcome>two, two>end", got)
	}
	for _, event := range s.events() {
		if got := event.Get("data.responses").Raw; got != "[]" {
			t.Errorf("responses are %s, want none", got)
		}
	}
}

func TestAnIDWithASlashASpaceAndAnUmlautNamesOneParticipant(t *testing.T) {
	const onTheWire, id = "Bob%20M%C3%BCller%2F1", "Bob Müller%2F1" // the app leaves %2F as it is
	named := func(body string) rules.Exchange {
		return page(strings.Replace(body, `"participantId":"p"`, `"participantId":"`+id+`"`, 1))
	}
	s := newScenario(t)
	s.begin("GET", "/api/progress/5/3/"+onTheWire)(named(showPage1))
	s.begin("POST", "/api/log/3/"+onTheWire+"/one/decsys.platform.PAGE_LOAD")(rules.Exchange{Status: 204, RequestBody: []byte("{}")})
	s.begin("POST", "/api/log/3/"+onTheWire+"/i1/decsys.platform.COMPONENT_RESULTS")(rules.Exchange{Status: 204, RequestBody: []byte(`{"text":"a"}`)})
	s.begin("POST", "/api/progress/5/3/"+onTheWire+"/next")(named(showPage2))
	s.begin("POST", "/api/progress/5/3/"+onTheWire+"/next")(named(showEnd))
	if got := s.summary(); got != "one>two, two>end" {
		t.Errorf("events are %s, want one>two, two>end", got)
	}
	for _, event := range s.events() {
		if got := event.Get("data.participant.id").String(); got != id {
			t.Errorf("the participant is %q, want %q", got, id)
		}
		if got := event.Get("data.responses.0.response").Raw; got != `{"text":"a"}` {
			t.Errorf("the answer is %s", got)
		}
	}
}
