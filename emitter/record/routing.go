package record

import (
	"fmt"
	"reflect"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// routing is where events go, and what each target may see. It never changes: a
// reload makes another.
type routing struct {
	set        *rules.Set
	recipients map[string]recipient
	// silence is how long a participant is silent who has abandoned the survey, in minutes.
	silence int
}

// recipient is a target as far as bodies are concerned.
type recipient struct {
	format    config.Format
	order     config.Order
	redaction *rules.Redaction
}

// lane returns the lane of a delivery: that of its journey, or one of its own where
// deliveries don't wait for each other.
func (r *recipient) lane(key rules.Key, id string) string {
	if r.order == config.OrderNone {
		return id
	}
	return key.Text()
}

func newRouting(c *config.Config) *routing {
	r := &routing{
		set: rules.Compile(c.Rules), recipients: make(map[string]recipient, len(c.Targets)),
		silence: int((time.Duration(c.AbandonedAfter) + time.Minute - 1) / time.Minute),
	}
	for name, target := range c.Targets {
		r.recipients[name] = recipient{format: target.Format, order: target.Order, redaction: rules.NewRedaction(&target)}
	}
	return r
}

// Apply replaces the targets, the rules and abandoned_after for the events to come,
// including those that wait for answers. What is in the outbox stays as it is.
func (r *Recorder) Apply(c *config.Config) { r.routing.Store(newRouting(c)) }

// MayMove returns an error if a delivery made for one target must not be sent to
// another: its body holds all that the first may see, and never changes.
func (r *Recorder) MayMove(from, to string) error {
	recipients := r.routing.Load().recipients
	other, known := recipients[to]
	if !known {
		return fmt.Errorf("there is no target %q in the configuration", to)
	}
	if from == to || other.redaction == nil || reflect.DeepEqual(recipients[from].redaction, other.redaction) {
		return nil
	}
	return fmt.Errorf("the deliveries of %q may hold what %q must not see (only, redact, pseudonymise)", from, to)
}

// deliveries makes one delivery of the event for every target that gets it. Rules
// see the whole event; what a target must not see is in none of its deliveries.
func (r *routing) deliveries(epoch string, key rules.Key, event *rules.Event) []outbox.Delivery {
	var made []outbox.Delivery
	for _, selection := range r.set.Select(event) {
		to := r.recipients[selection.Target]
		if to.format.Has(event.Name()) { // a configuration that says otherwise is refused
			made = append(made, to.delivery(epoch, key, event, selection))
		}
	}
	return made
}

// delivery makes the delivery of an event to the recipient.
func (r *recipient) delivery(epoch string, key rules.Key, event *rules.Event, selection rules.Selection) outbox.Delivery {
	seen := r.redaction.Apply(event)
	about := envelope{id: eventID(epoch, key, event.Occasion(), selection.Target, *r), rule: selection.Rule}
	id := deliveryID(epoch, key, event.Occasion(), selection.Target)
	return outbox.Delivery{
		ID:          id,
		Target:      selection.Target,
		Rule:        selection.Rule,
		Lane:        r.lane(key, id),
		Owner:       key.Participant,
		Event:       string(event.Name()),
		Survey:      surveyName(&event.Survey),
		ContentType: formats[r.format].contentType,
		Body:        formats[r.format].body(about, seen),
		Traceparent: validTraceparent(seen.Traceparent),
		Created:     event.At,
	}
}

// surveyName is how a delivery and format decsys name a survey instance.
func surveyName(s *rules.Survey) string {
	if s.FriendlyID != "" {
		return s.FriendlyID
	}
	return s.ID + "/" + s.Instance
}
