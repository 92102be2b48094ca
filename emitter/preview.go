package emitter

import "github.com/sidehook/sidehook/rules"

// Preview makes the deliveries of events as a configuration would, for a trial.
// Ids in them are others than in earnest: those hang on the store.
func Preview(c *rules.Config) func(rules.Key, *rules.Event) []rules.TrialDelivery {
	routing := newRouting(c)
	return func(key rules.Key, event *rules.Event) []rules.TrialDelivery {
		previews := []rules.TrialDelivery{}
		for _, made := range routing.deliveries("trial", key, event) {
			previews = append(previews, rules.TrialDelivery{
				Target: made.Target, Rule: made.Rule, Format: routing.recipients[made.Target].format,
				ContentType: made.ContentType, Body: made.Body,
			})
		}
		return previews
	}
}
