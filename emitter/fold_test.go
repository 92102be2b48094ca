package emitter

import (
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/recordings"
)

// This test has the fold alone, without a socket or a store, as `sidehook try` has it.
func TestFoldingARecordingGivesTheWebhooksOfDecsysItself(t *testing.T) {
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	schema := standardSchema(t)
	for _, name := range recordings.Names() {
		t.Run(name, func(t *testing.T) {
			recording, err := recordings.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			rule := rules.Rule{To: []string{"receiver"}}
			if name == "script-filter-2-3" {
				rule.SourcePositions = []int{2, 3}
			}
			config := &rules.Config{
				Settle:  rules.Duration(500 * time.Millisecond),
				Targets: map[string]rules.Target{"receiver": {Format: rules.FormatDecsys}, "lake": {Format: rules.FormatStandard}},
				Rules:   []rules.Rule{rule, {Name: "all", To: []string{"lake"}}},
			}
			options := rules.TrialOptions{Profile: profile, Config: config, Deliveries: Preview(config)}
			var got []string
			for _, exchange := range rules.Try(options, recording.Exchanges, nil).Exchanges {
				for _, event := range exchange.Events {
					for _, delivery := range event.Deliveries {
						if delivery.Target == "receiver" {
							got = append(got, string(delivery.Body))
						} else if err := violation(t, schema, delivery.Body); err != nil {
							t.Errorf("a body of format standard: %v", err)
						}
					}
				}
			}
			for _, difference := range recording.Differences(profile, got) {
				t.Error(difference)
			}
		})
	}
}
