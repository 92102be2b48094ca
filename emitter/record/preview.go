package record

import (
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// Preview returns a function that makes the deliveries of an event as a Recorder
// with this configuration would, and calls add for each. IDs in the bodies differ
// from production: real ones depend on the store.
func Preview(c *config.Config) func(key rules.Key, event *rules.Event, add func(target, rule, contentType string, body []byte)) {
	routing := newRouting(c)
	return func(key rules.Key, event *rules.Event, add func(target, rule, contentType string, body []byte)) {
		for _, d := range routing.deliveries("trial", key, event) {
			add(d.Target, d.Rule, d.ContentType, d.Body)
		}
	}
}

// ForTarget returns a delivery of an event as the target would get it, whatever the
// rules are. Its ids are those of no other delivery if epoch is unique.
func ForTarget(c *config.Config, target, epoch string, event *rules.Event) outbox.Delivery {
	to := newRouting(c).recipients[target]
	key := rules.Key{Participant: event.Participant.ID, Instance: event.Survey.Instance}
	return to.delivery(epoch, key, event, rules.Selection{Target: target, Rule: "test"})
}
