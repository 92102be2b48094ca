package sample

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// Names are the names of the events that there are samples of.
var Names = []config.EventName{config.PageNavigation, config.Completion, config.Started, config.Abandoned}

// Event returns a sample of an event, which nobody has ever caused.
func Event(name config.EventName, at time.Time) (*rules.Event, error) {
	if !slices.Contains(Names, name) {
		return nil, fmt.Errorf("there is no sample of an event %q; there are %s", name, list(Names))
	}
	text := func(s string) *string { return &s }
	consent := rules.PageRef{ID: "page-1", Number: 1, Position: 1, Name: text("Consent")}
	remarks := rules.PageRef{ID: "page-2", Number: 2, Position: 2, Name: text("Remarks")}
	started := at.Add(-time.Minute)
	event := &rules.Event{
		Place: 1, At: at, PageCount: 2,
		Survey:      rules.Survey{ID: "test", Instance: "test", FriendlyID: "test"},
		Participant: rules.Participant{ID: "test-participant", Started: started},
		From:        consent, To: &remarks,
		Responses: []rules.Response{{
			Page: consent, Question: text("I agree to take part."), Item: "item-1", Type: text("Confirmation"), Left: true,
			Answer: []byte(`{"confirmed":true}`), PageLoaded: started, Recorded: started.Add(10 * time.Second),
		}},
	}
	switch name {
	case config.Started:
		event.Kind, event.Place, event.From, event.To, event.Responses = name, 0, rules.PageRef{}, &consent, nil
	case config.Abandoned:
		event.Kind, event.From, event.To, event.LastExchange = name, remarks, nil, at.Add(-30*time.Minute)
	case config.Completion:
		event.Place, event.From, event.To = 2, remarks, nil
		event.Responses = append(event.Responses, rules.Response{
			Page: remarks, Question: text("Is there anything else?"), Item: "item-2", Type: text("Free Text"), Optional: true, Left: true,
			Answer: []byte(`{"text":"This is a test."}`), PageLoaded: started.Add(20 * time.Second), Recorded: at.Add(-time.Second),
		})
	}
	return event, nil
}

func list(names []config.EventName) string {
	var texts []string
	for _, name := range names {
		texts = append(texts, string(name))
	}
	return strings.Join(texts, ", ")
}
