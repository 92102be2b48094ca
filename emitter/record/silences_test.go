package record

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// abandoning is a configuration whose one target gets every event.
func abandoning(format config.Format) *config.Config {
	return &config.Config{
		AbandonedAfter: config.Duration(2 * time.Minute),
		Targets:        map[string]config.Target{"lake": {Format: format}},
		Rules:          []config.Rule{{Name: "all", On: config.EventNames(), To: []string{"lake"}}},
	}
}

// silences is a scenario whose minutes pass when the test says so.
func silences(t *testing.T) *scenario {
	t.Helper()
	s := newScenario(t)
	s.Apply(abandoning(config.FormatStandard))
	return s
}

func (s *scenario) pass(minutes int) {
	s.flush() // what was seen is older than these minutes
	for range minutes {
		s.passMinute(s.t.Context())
	}
}

// restartWith is restart, with the same rules as before.
func (s *scenario) restartWith(c *config.Config) {
	s.restart()
	s.Apply(c)
}

func typesOf(events []gjson.Result) string {
	var types []string
	for _, e := range events {
		types = append(types, strings.TrimPrefix(e.Get("type").String(), "survey."))
	}
	return strings.Join(types, " ")
}

func (s *scenario) wantTypes(want string) {
	s.t.Helper()
	if got := typesOf(s.events()); got != want {
		s.t.Errorf("events are %q, want %q", got, want)
	}
}

func TestASilenceMakesOneEventHoweverLongItIs(t *testing.T) {
	s := silences(t)
	s.get(showPage1)
	s.load("one")
	s.answerAs("p", "so far")
	s.pass(2)
	s.wantTypes("started")
	s.pass(10)
	s.wantTypes("started abandoned")
	event := s.events()[1]
	if got := event.Get("data.from.id").String() + " " + event.Get("data.to").Raw + " " + event.Get("data.responses.0.response").Raw; got != `one null {"text":"so far"}` {
		t.Errorf("the event is %s", event)
	}
	schema := schemaOf(t, config.FormatStandard)
	for _, e := range s.events() {
		if err := violation(t, schema, []byte(e.Raw)); err != nil {
			t.Errorf("%s: %v", e.Get("type"), err)
		}
	}
	s.next(showPage2) // going on is no contradiction
	s.pass(10)
	s.wantTypes("started abandoned page_navigated abandoned")
	s.next(showEnd)
	s.pass(10)
	s.wantTypes("started abandoned page_navigated abandoned completed")
}

func TestASilenceGoesOnAfterARestart(t *testing.T) {
	s := silences(t)
	s.get(showPage1)
	s.load("one")
	s.pass(2)
	s.restartWith(abandoning(config.FormatStandard))
	s.wantTypes("started")
	s.pass(1)
	s.wantTypes("started abandoned")
	s.restartWith(abandoning(config.FormatStandard))
	s.pass(10)
	s.wantTypes("started abandoned")
}

func TestASilenceThatEndedWhileSidehookWasDownIsNone(t *testing.T) {
	s := silences(t)
	s.get(showPage1)
	s.load("one")
	s.pass(2)
	s.restartWith(abandoning(config.FormatStandard))
	s.load("one")
	s.pass(2)
	s.wantTypes("started")
}

// The clock of a machine that wakes up, or is corrected, makes nobody silent.
func TestAClockThatIsSetForwardMakesNobodySilent(t *testing.T) {
	s := silences(t)
	s.get(showPage1)
	s.load("one")
	s.now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
	s.pass(2)
	s.wantTypes("started")
}

func TestAParticipantWithAnExchangeInFlightIsNotSilent(t *testing.T) {
	s := silences(t)
	s.get(showPage1)
	s.load("one")
	end := s.begin("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")
	s.pass(5)
	s.wantTypes("started")
	end(rules.Exchange{Status: 500}) // which says nothing
	s.pass(1)
	s.wantTypes("started abandoned")
}

func TestAParticipantWhoseEventSettlesIsNotSilent(t *testing.T) {
	s := silences(t)
	s.get(showPage1)
	s.load("one")
	s.begin("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")
	s.next(showPage2)
	s.flights = newFlights() // the answer is not in flight, and nobody knows
	s.pass(5)
	s.wantTypes("started")
	if err := s.store.Do(t.Context(), func(tx *outbox.Tx) { s.settleJourney(tx, rules.Key{Instance: "3", Participant: "p"}) }); err != nil {
		t.Fatal(err)
	}
	s.pass(5)
	s.wantTypes("started page_navigated abandoned")
}

func TestEventsThatNoRuleNamesAreNotMade(t *testing.T) {
	s := newScenario(t)
	s.get(showPage1)
	s.load("one")
	s.pass(5)
	s.next(showEnd)
	s.wantTypes("completed")
}

func TestFormatDecsysHasNoWordsForThem(t *testing.T) {
	s := newScenario(t)
	s.Apply(abandoning(config.FormatDecsys)) // which check refuses
	s.get(showPage1)
	s.load("one")
	s.pass(5)
	s.next(showEnd)
	if all := s.all(); len(all) != 1 || all[0].Event != "completion" {
		t.Errorf("got %d deliveries, want the completion", len(all))
	}
}

func TestWhatATargetMustNotSeeIsInNoneOfThem(t *testing.T) {
	s := newScenario(t)
	c := abandoning(config.FormatStandard)
	c.Targets["lake"] = config.Target{Format: config.FormatStandard, Redact: config.Redact{Participant: true, Answers: []config.AnswerPart{{Item: "*"}}}}
	s.Apply(c)
	s.visitPage("ann-1")
	s.pass(5)
	s.wantTypes("started abandoned")
	for _, e := range s.events() {
		if strings.Contains(e.Raw, "ann-1") || strings.Contains(e.Raw, "canary") {
			t.Errorf("%s shows too much", e)
		}
	}
}

// visitPage is what a participant does who leaves on the first page.
func (d *testRecorder) visitPage(participant string) {
	d.begin("GET", "/api/progress/5/3/"+participant)(page(strings.ReplaceAll(showPage1, `"p"`, `"`+participant+`"`)))
	d.begin("POST", "/api/log/3/"+participant+"/one/decsys.platform.PAGE_LOAD")(rules.Exchange{Status: 204, RequestBody: []byte("{}")})
	d.answerAs(participant, "canary of "+participant)
}

func TestTheSilenceOfAForgottenParticipantIsForgotten(t *testing.T) {
	s := silences(t)
	s.visitPage("ann-1")
	s.visitPage("bob-1")
	s.forget("ann-1", "")
	s.pass(5)
	s.wantTypes("started abandoned") // Bob's
	if erased := s.forget("bob-1", ""); erased.Pending != 2 {
		t.Errorf("erased %+v, want both events", erased)
	}
}

func TestManySilencesAreNotedInTheirMinute(t *testing.T) {
	s := silences(t)
	for n := range 2*silenceStep + 1 {
		s.visitPage(fmt.Sprint("p", n))
	}
	s.pass(3)
	if n := strings.Count(typesOf(s.events()), "abandoned"); n != 2*silenceStep+1 {
		t.Errorf("%d events, want %d", n, 2*silenceStep+1)
	}
}

// Whatever a participant does, and however often sidehook is restarted meanwhile, each
// silence makes one event, in its minute, and nothing else does.
func TestEachSilenceMakesOneEvent(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := &scenario{dir: memoryDir(t)}
		s.open(t)
		defer func() { s.stop() }()
		s.Apply(abandoning(config.FormatStandard))
		s.get(showPage1)
		s.load("one")
		silent, isEnded, want := 0, false, []string{"started"}
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"answer", "pass", "pass", "pass", "restart", "next", "end", "reload"}), 1, 20).Draw(r, "steps")
		on := "one"
		for _, step := range steps {
			switch step {
			case "answer":
				s.answerAs("p", "a")
				silent = 0
			case "reload":
				s.load(on)
				silent = 0
			case "pass":
				s.pass(1)
				if silent++; silent == 3 && !isEnded {
					want = append(want, "abandoned")
				}
			case "restart":
				s.restartWith(abandoning(config.FormatStandard))
			case "next":
				if s.next(showPage2); on == "one" && !isEnded {
					on, want = "two", append(want, "page_navigated")
				}
				silent = 0
			case "end":
				if s.next(showEnd); !isEnded {
					isEnded, want = true, append(want, "completed")
				}
				silent = 0
			}
		}
		events := s.events()
		if diff := cmp.Diff(strings.Join(want, " "), typesOf(events)); diff != "" {
			r.Fatalf("(-want +got):\n%s", diff)
		}
		ids := map[string]bool{}
		for _, d := range s.all() {
			ids[d.ID] = true
		}
		if len(ids) != len(events) {
			r.Fatalf("%d ids of %d events", len(ids), len(events))
		}
	})
}
