package trial_test

import (
	"fmt"
	"os"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/trial"
)

// A session of an app with a profile of its own, as Firefox saved it.
func Example() {
	cfg, err := config.LoadWithoutSecrets("testdata/config.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	profile, err := rules.LoadProfile(cfg.Profile)
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := os.Open("testdata/session-firefox.har")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	recorded, omitted, err := trial.ReadHAR(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	report := trial.Run(trial.Options{Profile: profile, Config: cfg, Preview: preview}, recorded, omitted)
	for _, exchange := range report.Exchanges {
		for _, event := range exchange.Events {
			fmt.Printf("event %d: %s\n", event.Place, event.Name)
			for _, rule := range event.Rules {
				fmt.Printf("  rule %q fires: %v\n", rule.Rule, rule.Fires)
			}
		}
	}
	// Output:
	// event 1: page_navigation
	//   rule "somebody without milk" fires: false
	//   rule "the end" fires: false
	// event 2: completion
	//   rule "somebody without milk" fires: true
	//   rule "the end" fires: true
}

// preview makes no bodies; record.Preview makes those that would be sent.
func preview(rules.Key, *rules.Event, func(target, rule, contentType string, body []byte)) {}
