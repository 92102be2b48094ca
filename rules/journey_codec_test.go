package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAJourneyIsTheSameAfterItWasStored(t *testing.T) {
	w := newWalk()
	w.shown("1")
	w.loaded("1")
	const answer = "{\"text\": \"<&> \xff \u2028\",\"n\":1.10}"
	w.answer("1", answer)
	w.fold(Observation{Kind: Navigated, Page: testPage("2"), InFlight: []uint64{100}})
	w.loaded("unknown")
	w.journey.save(w.clock)
	back := loadTest(t, w.journey.store)
	if diff := cmp.Diff(w.journey, back, cmp.FilterPath(isNotStored, cmp.Ignore())); diff != "" {
		t.Errorf("stored and read back (-was +is):\n%s", diff)
	}
	if got := string(back.answer("item1").Bytes); got != answer {
		t.Errorf("the answer is %q", got)
	}
	if page := back.page("1"); page == nil || back.definition(page).Item.ID != "item1" || page.Position != 1 || page.Loaded.IsZero() || !page.Left {
		t.Errorf("page 1 is %+v", page)
	}
	if event := back.settle()[0]; string(event.Responses[0].Answer) != answer {
		t.Errorf("the event that waits is %+v", event)
	}
}

// isNotStored reports whether a path is an unexported field of Journey.
func isNotStored(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && strings.ToLower(field.Name()[:1]) == field.Name()[:1]
}

func loadTest(t *testing.T, store Journeys) *Journey {
	t.Helper()
	journey, err := loadJourney(store, Key{"3", "p"}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return journey
}

// storeOf is a store with a journey as an earlier release stored it.
func storeOf(journey string) *JourneysInMemory {
	store := NewJourneysInMemory()
	store.PutHead(Key{"3", "p"}, []byte(journey), Mark{})
	return store
}

func TestTheErrorOfADamagedJourneyHasNoneOfItsBytes(t *testing.T) {
	journey, err := loadJourney(storeOf(`{"Answers":{"secret`), Key{"3", "p"}, Limits{})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want an error that shows nothing of the journey", err)
	}
	if !journey.Partial {
		t.Error("the journey that begins anew is not partial")
	}
}

func TestRecordThatIsCutIsDamaged(t *testing.T) {
	w := newWalk()
	w.shown("1")
	w.fold(Observation{Kind: Navigated, Page: testPage("2"), InFlight: []uint64{100}})
	head := w.journey.encode()
	for n := range head {
		if new(Journey).decode(head[:n]) == nil {
			t.Errorf("%d of %d bytes are read as a head", n, len(head))
		}
	}
	if new(Journey).decode(append(head, 0)) == nil {
		t.Error("a head that is too long is read")
	}
	name := partPage + "1"
	part := w.journey.store.Part(w.journey.key, name)
	for n := range part {
		w.journey.Partial = false
		w.journey.store.PutPart(w.journey.key, name, part[:n])
		if w.journey.page("1"); !w.journey.Partial {
			t.Errorf("%d of %d bytes are read as a page", n, len(part))
		}
	}
}

// A journey and a page's definition as an earlier release stored them, in one
// record: the journey goes on, and its texts are what they were.
func TestJourneysOfAnEarlierReleaseAreRead(t *testing.T) {
	const journey = `{"Child":null,"Survey":"5","FriendlyID":"fzd","Study":"","Started":"2026-11-23T12:00:00Z","Place":0,"Pointer":"1",` +
		`"Done":false,"Partial":false,"PageCount":2,"Pages":[{"ID":"1","Definition":null,"Position":1,"Loaded":"2026-11-23T12:00:00Z","Left":false}],` +
		`"Answers":{"item1":{"Bytes":"e30=","Recorded":"2026-11-23T12:00:01Z"}},` +
		`"Unsettled":[{"Event":{"Place":1,"From":{"ID":"0","Number":0,"Position":0,"Name":""},"To":null,"Responses":[{"Page":{"Name":"First"},"Type":"Number"}]},"Tickets":[7]}],` +
		`"definitions":{"1":"page"}}`
	f := func(definition string, want *Page) {
		t.Helper()
		store := storeOf(journey)
		store.pages["page"] = []byte(definition)
		split := loadTest(t, store)
		split.save(time.Now())
		back := loadTest(t, store) // as this release stores it
		page := back.page("1")
		if diff := cmp.Diff(want, back.definition(page)); diff != "" {
			t.Errorf("the page's definition (-want +got):\n%s", diff)
		}
		if back.KnownPages != 1 || back.ShownPages != 1 || back.KnownAnswers != 1 || page.Position != 1 || page.Loaded.IsZero() || back.Pointer != "1" || back.Bytes < 2 {
			t.Errorf("the journey is %+v, its page %+v", back, page)
		}
		if answer := back.answer("item1"); string(answer.Bytes) != "{}" || !answer.Recorded.Equal(time.Date(2026, 11, 23, 12, 0, 1, 0, time.UTC)) {
			t.Errorf("the answer is %+v", answer)
		}
		event := back.settle()[0]
		if *event.From.Name != "" || *event.Responses[0].Page.Name != "First" || *event.Responses[0].Type != "Number" {
			t.Errorf("the unsettled event is %+v", event)
		}
	}
	f(`{"id":"1","number":1,"name":"","question":null,"item":{"id":"item1","type":"","optional":true}}`,
		&Page{ID: "1", Number: 1, Name: new(""), Item: &Item{ID: "item1", Type: new(""), Optional: true}})
	f(`{"id":"1","number":1,"name":"First","question":"Q","item":null}`,
		&Page{ID: "1", Number: 1, Name: new("First"), Question: new("Q")})
}

func TestStudyOfAnEarlierReleaseLeadsToItsSurvey(t *testing.T) {
	journey := loadTest(t, storeOf(`{"Child":{"Instance":"4","Participant":"p"},"Survey":"","Place":0,"Pages":null,"Answers":null,"Unsettled":null}`))
	if journey.state() != moved || *journey.Child != (Key{"4", "p"}) {
		t.Errorf("the journey is %s, to %v", journey.state(), journey.Child)
	}
}

func TestALostDefinitionMakesAJourneyPartial(t *testing.T) {
	back := loadTest(t, storeOf(`{"Pages":[{"ID":"1"}],"definitions":{"1":"page"}}`))
	event := back.event(&Observation{})
	if !event.Partial || !back.Partial {
		t.Errorf("got %+v, want a partial journey and event", back)
	}
}

func TestWaitingObservationsAreStoredAsInEarlierReleases(t *testing.T) {
	const stored = `{"Waiting":[{"Says":"navigated","Journey":{"Instance":"3","Participant":"p"},"Page":{"id":"2","number":2,"name":"Two","question":null,"item":null}}]}`
	journey := loadTest(t, storeOf(stored))
	if part := string(journey.store.Part(journey.key, numbered(partWaiting, 0))); !strings.Contains(part, `"Says":"navigated"`) {
		t.Errorf("stored as %s", part)
	}
	want := &Observation{Kind: Navigated, Journey: Key{"3", "p"}, Page: &Page{ID: "2", Number: 2, Name: new("Two")}}
	if journey.state() != joining {
		t.Errorf("the journey is %s", journey.state())
	}
	if diff := cmp.Diff([]*Observation{want}, journey.takeWaiting()); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	if left := journey.store.Parts(journey.key, ""); len(left) != 0 {
		t.Errorf("parts are left: %q", left)
	}
}
