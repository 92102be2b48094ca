package record

import "github.com/sidehook/sidehook/rules"
import (
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/trial"
)

// Preview makes the deliveries of events as a configuration would, for a trial.
// Ids in them are others than in earnest: those hang on the store.
func Preview(c *config.Config) func(rules.Key, *rules.Event) []trial.Delivery {
	routing := newRouting(c)
	return func(key rules.Key, event *rules.Event) []trial.Delivery {
		previews := []trial.Delivery{}
		for _, made := range routing.deliveries("trial", key, event) {
			previews = append(previews, trial.Delivery{
				Target: made.Target, Rule: made.Rule, Format: routing.recipients[made.Target].format,
				ContentType: made.ContentType, Body: made.Body,
			})
		}
		return previews
	}
}
