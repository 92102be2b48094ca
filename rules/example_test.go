package rules_test

import (
	"cmp"
	"fmt"
	"log"
	"time"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// journeys keeps journeys in memory.
type journeys map[rules.Key]*rules.Journey

func (j journeys) Load(key rules.Key) *rules.Journey {
	return cmp.Or(j[key], &rules.Journey{})
}

func (j journeys) Save(key rules.Key, journey *rules.Journey, _ time.Time) { j[key] = journey }

// A participant is shown the first page of a survey, and completes it.
func Example() {
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		log.Fatal(err)
	}
	set := rules.Compile([]config.Rule{{Name: "finished", On: []config.EventName{config.Completion}, To: []string{"crm"}}})
	fold := rules.Fold{Journeys: journeys{}}

	for _, exchange := range []struct{ method, target, response string }{
		{"GET", "/api/progress/5/3/alice", `{"surveyId":5,"instanceId":3,"participantId":"alice","pageCount":1,
			"page":{"id":"p1","name":"Welcome","order":1,"components":[]}}`},
		{"POST", "/api/progress/5/3/alice/next", `{"page":null,"pageCount":1}`},
	} {
		match, ok := profile.Match([]byte(exchange.method), []byte(exchange.target))
		if !ok {
			log.Fatal("no route matches")
		}
		observation, ok, err := profile.Observe(match, rules.Exchange{
			Status: 200, ContentType: "application/json", ResponseBody: []byte(exchange.response),
		})
		if err != nil || !ok {
			log.Fatal("the exchange says nothing: ", err)
		}
		observation.At = time.Date(2026, 11, 23, 21, 22, 16, 0, time.UTC)
		for _, event := range fold.Observe(observation).Events {
			fmt.Println(event.Name(), "of survey", event.Survey.FriendlyID, "on leaving", *event.From.Name)
			for _, selection := range set.Select(event) {
				fmt.Println("rule", selection.Rule, "sends it to", selection.Target)
			}
		}
	}
	// Output:
	// completion of survey fzd on leaving Welcome
	// rule finished sends it to crm
}
