package record

import (
	"time"

	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// foldIn returns the fold of the journeys in the state file. What it is called for
// runs in the store's writer and may run more than once.
func (r *Recorder) foldIn(tx *outbox.Tx) rules.Fold {
	return rules.Fold{
		Journeys:   journeys{tx, r.run},
		Pages:      &r.pages,
		Rules:      r.routing.Load().set,
		Limits:     r.limits,
		Key:        tx.Salt(),
		ReadsPasts: r.joins != nil,

		ExchangesGoOn:     r.replicas != nil,
		AsksWithoutSurvey: r.profile.AsksWithoutSurvey(),
		IsCrowded:         r.waiting.isPast(tx, maxWaitingBytes/2, maxWaitingJourneys/2),
		IsFull:            r.waiting.isPast(tx, maxWaitingBytes, maxWaitingJourneys),
		Damaged:           r.logDamaged,
	}
}

func (r *Recorder) observe(tx *outbox.Tx, o rules.Observation) {
	fold := r.foldIn(tx)
	if r.hasLeftovers.Load() {
		key, _ := fold.Find(o.Journey)
		r.resume(tx, key)
	}
	at := o.At
	if r.replicas != nil { // by another clock
		at = o.Order
	}
	r.carryOut(tx, at, fold.Observe(o))
}

// join puts a past, nil if it could not be read, under a journey that waits for it.
func (r *Recorder) join(tx *outbox.Tx, key rules.Key, past *rules.Past) {
	step, ok := r.foldIn(tx).Join(key, past)
	if ok {
		tx.After(func() { r.joins.count(past) })
	}
	r.carryOut(tx, r.now(), step)
}

// carryOut does what a step asks for, of what was seen at that time: it puts the events
// into the outbox, and, once they are on disk, has the rest done later.
func (r *Recorder) carryOut(tx *outbox.Tx, at time.Time, step rules.Step) {
	r.enqueue(tx, step.Journey, step.Events)
	count(tx, step.Counts)
	if step.Settle {
		settle := settlement{journey: step.Journey, place: step.Place, due: at.Add(r.settle)}
		tx.After(func() { r.settleLater(settle) })
	}
	if step.Expires {
		expire := expiry{settlement: settlement{journey: step.Journey, due: r.now().Add(rules.PastTimeout)}}
		tx.After(func() { r.expireLater(expire) })
	}
	r.waiting.note(tx, step.Journey, step.Waiting)
	if len(step.Refused) > 0 {
		survey, refused := step.Journey.Instance, step.Refused
		tx.After(func() { r.noteRefused(survey, refused) })
	}
	if step.Past != nil {
		request := join{PastRequest: *step.Past, until: r.now().Add(rules.PastTimeout)}
		tx.After(func() { r.joinLater(request) })
	}
	if step.Urgent != nil {
		request := join{PastRequest: *step.Urgent, until: r.now().Add(rules.PastTimeout)}
		tx.After(func() { r.joins.enqueue(request) }) // else it stays where it is
	}
}

// enqueue puts one delivery of each event into the outbox for every target that gets it.
func (r *Recorder) enqueue(tx *outbox.Tx, key rules.Key, events []*rules.Event) {
	routing := r.routing.Load()
	for _, event := range events {
		deliveries := routing.deliveries(tx.Epoch(), key, event)
		for _, delivery := range deliveries {
			tx.Enqueue(delivery)
		}
		name, survey, targets := event.Name(), surveyName(&event.Survey), len(deliveries)
		tx.After(func() {
			r.counts.event(name)
			r.activity.Recorded(live.Entry{Event: string(name), Survey: survey, Targets: targets})
		})
	}
}

// noteRefused counts and logs what was left out of a journey at a bound.
func (r *Recorder) noteRefused(survey string, refused []rules.Refusal) {
	for _, what := range refused {
		r.counts.refused[what].Inc()
	}
	if isDue(&r.warnRefused) {
		r.log.Warn("a participant sent more than a journey keeps; their events are partial, or go without answers in flight", "survey", survey, "reason", string(refused[0]))
	}
}

func (r *Recorder) logDamaged(key rules.Key, err error) {
	if isDue(&r.warnDamaged) {
		r.log.Warn("cannot read a journey; it starts over, and its events are partial", "survey", key.Instance, "error", err)
	}
}
