package record

import (
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"

	"github.com/sidehook/sidehook/rules/config"
)

// routing is what a configuration says of where events go, and what is told
// there. It never changes: a reload makes another.
type routing struct {
	set        *rules.Set
	recipients map[string]recipient
}

// recipient is a target as far as bodies are concerned.
type recipient struct {
	format    config.Format
	redaction *rules.Redaction
}

func newRouting(c *config.Config) *routing {
	r := &routing{set: rules.Compile(c.Rules), recipients: make(map[string]recipient, len(c.Targets))}
	for name, target := range c.Targets {
		r.recipients[name] = recipient{format: target.Format, redaction: rules.NewRedaction(&target)}
	}
	return r
}

// Apply makes these the targets and rules of the events to come. Events that
// wait for answers count as such; what is in the outbox stays as it is.
func (r *Recorder) Apply(c *config.Config) { r.routing.Store(newRouting(c)) }

// deliveries makes one delivery of the event for every target that gets it. Rules
// see the event as it is; what a target must not see is in none of its delivery.
func (r *routing) deliveries(epoch string, key rules.Key, event *rules.Event) []outbox.Delivery {
	var made []outbox.Delivery
	for _, selection := range r.set.Select(event) {
		to := r.recipients[selection.Target]
		seen := to.redaction.Apply(event)
		about := envelope{id: eventID(epoch, key, event.Place, selection.Target, to), rule: selection.Rule}
		made = append(made, outbox.Delivery{
			ID:          deliveryID(epoch, key, event.Place, selection.Target),
			Target:      selection.Target,
			Rule:        selection.Rule,
			Lane:        key.Bytes(),
			Owner:       key.Participant,
			Event:       string(event.Name()),
			Survey:      surveyName(&event.Survey),
			ContentType: formats[to.format].contentType,
			Body:        formats[to.format].body(about, seen),
			Traceparent: seen.Traceparent,
			Created:     event.At,
		})
	}
	return made
}
