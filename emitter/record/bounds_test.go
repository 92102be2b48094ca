package record

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// logs is an answer of this size for an item, by a participant whose survey no
// request names.
func (d *testRecorder) logs(participant, item string, size int) {
	body := []byte(`{"text":"` + strings.Repeat("x", size) + `"}`)
	d.begin("POST", "/api/log/3/"+participant+"/"+item+"/decsys.platform.COMPONENT_RESULTS")(rules.Exchange{Status: 204, RequestBody: body})
}

// records returns how many journeys and parts of participants are stored.
func (d *testRecorder) records(participants ...string) (journeys, parts int) {
	d.t.Helper()
	if err := d.store.Do(d.t.Context(), func(tx *outbox.Tx) {
		journeys, parts = 0, 0
		for _, participant := range participants {
			key := rules.Key{Instance: "3", Participant: participant}.Text()
			if _, ok := tx.Journey(key); ok {
				journeys++
			}
			parts += len(tx.JourneyParts(key, ""))
		}
	}); err != nil {
		d.t.Fatal(err)
	}
	return journeys, parts
}

func TestAnswersOfAParticipantWithoutASurveyAreBoundedInBytes(t *testing.T) {
	d := newJoiningRecorder(t, memoryDir(t), &pastApp{})
	for i := range 50 {
		d.logs("madeup", fmt.Sprint("item", i), 60<<10)
		d.waitIdle()
		if waiting := d.waiting.total.Load(); waiting > 600<<10 {
			t.Fatalf("%d bytes wait after %d answers", waiting, i+1)
		}
	}
	if n := testutil.ToFloat64(d.counts.refused[rules.RefusedWait]); n < 4 {
		t.Errorf("%v are counted as refused, want several", n)
	}
	if len(d.joins.queue) != 0 {
		t.Error("a past is requested")
	}
}

func TestAnswersOfAllParticipantsWithoutASurveyAreBoundedInBytes(t *testing.T) {
	d := newJoiningRecorder(t, memoryDir(t), &pastApp{})
	participants := make([]string, 400)
	for i := range participants {
		participants[i] = fmt.Sprint("madeup", i)
		d.logs(participants[i], "item", 60<<10)
	}
	d.waitIdle()
	if journeys, parts := d.records(participants...); parts != journeys || journeys > maxWaitingBytes/2/(60<<10)+2 {
		t.Errorf("%d journeys with %d observations are stored, want those that may wait", journeys, parts)
	}
	if waiting := d.waiting.total.Load(); waiting > maxWaitingBytes/2+100<<10 {
		t.Errorf("%d bytes wait, want half of %d", waiting, maxWaitingBytes)
	}
	d.get(showPage1)
	d.next(showPage2)
	d.join()
	if bodies := d.bodies(); len(bodies) != 1 || !strings.Contains(bodies[0], `"partial":false`) {
		t.Errorf("a participant with a survey has the events %q, want one, not partial", bodies)
	}
}

func TestNothingIsLeftOfParticipantsWhoWereMadeUp(t *testing.T) {
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		logger := slog.New(slog.DiscardHandler)
		store := outbox.New(outbox.Options{Dir: dir, Logger: logger})
		d := &testRecorder{t: t, store: store, Recorder: New(Options{
			Store: store, Profile: decsysProfile(t), Config: trialConfig(), App: &fileApp{now: time.Now}, Logger: logger,
		})}
		d.start()
		var participants []string
		for i := range 60 {
			participants = append(participants, fmt.Sprint("madeup", i))
			d.logs(participants[i], "item", 10)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(rules.PastTimeout - 3*time.Second)
		if journeys, _ := d.records(participants...); journeys < 20 || journeys > 40 {
			t.Errorf("%d of 60 journeys wait, want about half of them", journeys)
		}
		time.Sleep(4 * time.Second)
		if journeys, parts := d.records(participants...); journeys+parts != 0 {
			t.Errorf("%d journeys and %d parts are left", journeys, parts)
		}
		if waiting := d.waiting.total.Load(); waiting != 0 || len(d.waiting.byJourney) != 0 {
			t.Errorf("%d bytes are counted as waiting", waiting)
		}
		d.stop()
	})
}

// A stop with thousands of made-up participants is no burden for the next start,
// whose participants come first.
func TestLeftoversDoNotDisturbTheNextStart(t *testing.T) {
	dir := memoryDir(t)
	d, end := midway(t, dir)
	for i := range 3000 {
		d.logs(fmt.Sprint("madeup", i), "item", 10)
	}
	d.replay(end) // of a participant whose survey is named
	d.flush()
	d.stop()

	again, _ := midway(t, dir)
	again.app.reach(end)
	again.join()
	if bodies := again.bodies(); len(bodies) != 1 || !strings.Contains(bodies[0], `"partial":false`) {
		t.Errorf("got %q, want the completion, not partial", bodies)
	}
	if lost := again.store.Stats().Lost; lost != 0 || again.hasLeftovers.Load() {
		t.Errorf("%d changes are lost", lost)
	}
	if marked := again.marked(); len(marked) != 0 {
		t.Errorf("%d journeys are left for the start after it", len(marked))
	}
}

func (d *testRecorder) marked() (keys []string) {
	d.t.Helper()
	if err := d.store.Do(d.t.Context(), func(tx *outbox.Tx) { keys = tx.Unsettled("", 10_000) }); err != nil {
		d.t.Fatal(err)
	}
	return keys
}

// A participant goes on before the journey's turn has come.
func TestJourneyThatGoesOnIsResumedBefore(t *testing.T) {
	d := newTestRecorder(t, t.TempDir())
	d.get(showPage1)
	d.load("one")
	endAnswer := d.begin("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")
	d.next(showPage2)
	d.flush()
	d.run = "the next process"
	d.hasLeftovers.Store(true)
	d.load("two")
	if n := len(d.deliveries()); n != 1 {
		t.Errorf("%d deliveries, want the navigation that an earlier process left", n)
	}
	endAnswer(rules.Exchange{})
}

// The app has stored an answer that was not read: the one before it is not the last.
func TestAnswerThatIsUnknownIsPartial(t *testing.T) {
	f := func(name string, x rules.Exchange) {
		t.Helper()
		s := newScenario(t)
		s.get(showPage1)
		s.load("one")
		const answer = "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS"
		s.begin("POST", answer)(rules.Exchange{Status: 204, RequestBody: []byte(`{"text":"older"}`)})
		x.Status = 204
		s.begin("POST", answer)(x)
		s.next(showPage2)
		event := s.events()[0]
		if !event.Get("data.partial").Bool() || event.Get("data.responses.0.response").Raw != "null" {
			t.Errorf("%s: the event is %s", name, event.Raw)
		}
	}
	f("past inspect_limit", rules.Exchange{LacksRequest: "too large", LacksResponse: "too large"})
	f("in no JSON", rules.Exchange{RequestBody: []byte("{")})
	f("past the limit of an answer", rules.Exchange{RequestBody: []byte(`{"text":"` + strings.Repeat("x", 64<<10) + `"}`)})
}

// c1c6c31 stored a journey in one record.
func TestJourneyOfAnEarlierReleaseGoesOn(t *testing.T) {
	const whole = `{"Child":null,"Survey":"5","FriendlyID":"fzd","Study":"","Started":"2026-11-23T12:00:00Z","Place":3,"Pointer":"one",` +
		`"Done":false,"Partial":false,"PageCount":2,"Pages":[{"ID":"one","Definition":null,"Position":1,"Loaded":"2026-11-23T12:00:00Z","Left":false}],` +
		`"Answers":{"i1":{"Bytes":"eyJ0ZXh0IjoiY2FuYXJ5In0=","Recorded":"2026-11-23T12:00:01Z"}},"Asked":"0001-01-01T00:00:00Z","Unsettled":null,"definitions":{"one":"HASH"}}`
	const definition = `{"id":"one","number":1,"name":"First","question":null,"item":{"id":"i1","type":"Free Text","optional":false}}`
	dir := t.TempDir()
	s := &scenario{dir: dir}
	s.open(t)
	key := rules.Key{Instance: "3", Participant: "p"}.Text()
	if err := s.store.Do(t.Context(), func(tx *outbox.Tx) {
		hash, _ := tx.PutPage([]byte(definition))
		tx.PutJourney(key, []byte(strings.Replace(whole, "HASH", hash, 1)), outbox.Mark{LastExchange: time.Now()})
	}); err != nil {
		t.Fatal(err)
	}
	s.next(showPage2)
	event := s.events()[0]
	if got := event.Get("data.responses.0.response.text").String(); got != "canary" || event.Get("data.partial").Bool() || event.Get("data.from.name").String() != "First" {
		t.Errorf("the event is %s", event.Raw)
	}
	if _, parts := s.records("p"); parts != 3 { // two pages and an answer
		t.Errorf("the journey has %d parts, want 3", parts)
	}
	if erased := s.forget("p", ""); erased.Journeys != 1 || erased.Answers != 1 {
		t.Errorf("erased %+v", erased)
	}
	if journeys, parts := s.records("p"); journeys+parts != 0 {
		t.Errorf("%d journeys and %d parts are left", journeys, parts)
	}
}
