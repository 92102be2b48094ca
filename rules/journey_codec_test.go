package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAJourneyIsTheSameAfterItWasStored(t *testing.T) {
	w := newWalk()
	w.shown("1")
	w.loaded("1")
	w.answer("1", "{\"text\": \"<&> \xff \u2028\",\"n\":1.10}")
	w.fold(Observation{Kind: Navigated, Page: testPage("2"), InFlight: []uint64{100}})
	w.loaded("unknown")

	pages := map[string][]byte{}
	data, err := w.journey.Encode(func(definition []byte) string {
		name := fmt.Sprint(len(pages))
		pages[name] = definition
		return name
	})
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeJourney(data, func(name string) []byte { return pages[name] })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&w.journey, back); diff != "" {
		t.Errorf("stored and read back (-was +is):\n%s", diff)
	}
	if w.journey.Pages[0].Definition == nil {
		t.Error("storing a journey took its definitions away")
	}
}

func TestTheErrorOfADamagedJourneyHasNoneOfItsBytes(t *testing.T) {
	_, err := DecodeJourney([]byte(`{"Answers":{"secret`), nil)
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want an error that shows nothing of the journey", err)
	}
}

// A journey and a page's definition as an earlier release stored them: the
// journey goes on, and its texts are what they were.
func TestJourneysOfAnEarlierReleaseAreRead(t *testing.T) {
	const journey = `{"Child":null,"Survey":"5","FriendlyID":"fzd","Study":"","Started":"2026-11-23T12:00:00Z","Place":0,"Pointer":"1",` +
		`"Done":false,"Partial":false,"PageCount":2,"Pages":[{"ID":"1","Definition":null,"Position":1,"Loaded":"2026-11-23T12:00:00Z","Left":false}],` +
		`"Answers":{"item1":{"Bytes":"e30=","Recorded":"2026-11-23T12:00:01Z"}},` +
		`"Unsettled":[{"Event":{"Place":1,"From":{"ID":"0","Number":0,"Position":0,"Name":""},"To":null,"Responses":[{"Page":{"Name":"First"},"Type":"Number"}]},"Tickets":[7]}],` +
		`"definitions":{"1":"page"}}`
	f := func(definition string, want *Page) {
		t.Helper()
		back, err := DecodeJourney([]byte(journey), func(string) []byte { return []byte(definition) })
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, back.Pages[0].Definition); diff != "" {
			t.Errorf("the page's definition (-want +got):\n%s", diff)
		}
		event := back.Unsettled[0].Event
		if *event.From.Name != "" || *event.Responses[0].Page.Name != "First" || *event.Responses[0].Type != "Number" {
			t.Errorf("the unsettled event is %+v", event)
		}
	}
	f(`{"id":"1","number":1,"name":"","question":null,"item":{"id":"item1","type":"","optional":true}}`,
		&Page{ID: "1", Number: 1, Name: new(""), Item: &Item{ID: "item1", Type: new(""), Optional: true}})
	f(`{"id":"1","number":1,"name":"First","question":"Q","item":null}`,
		&Page{ID: "1", Number: 1, Name: new("First"), Question: new("Q")})
}

func TestALostDefinitionMakesAJourneyPartial(t *testing.T) {
	const journey = `{"Pages":[{"ID":"1"}],"definitions":{"1":"page"}}`
	back, err := DecodeJourney([]byte(journey), func(string) []byte { return nil })
	if err != nil || !back.Partial || back.Pages[0].Definition != nil {
		t.Errorf("got %+v, %v; want a partial journey", back, err)
	}
}

func TestWaitingObservationsAreStoredAsInEarlierReleases(t *testing.T) {
	const stored = `{"Waiting":[{"Says":"navigated","Journey":{"Instance":"3","Participant":"p"},"Page":{"id":"2","number":2,"name":"Two","question":null,"item":null}}]}`
	journey, err := DecodeJourney([]byte(stored), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &Observation{Kind: Navigated, Journey: Key{"3", "p"}, Page: &Page{ID: "2", Number: 2, Name: new("Two")}}
	if diff := cmp.Diff([]*Observation{want}, journey.Waiting); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	encoded, err := journey.Encode(nil)
	if err != nil || !strings.Contains(string(encoded), `"Says":"navigated"`) {
		t.Errorf("encoded as %s, %v", encoded, err)
	}
}
