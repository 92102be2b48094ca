package record

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// fold takes an observation into its journey and the events that come of it
// into the outbox. It runs in the store's writer and may run more than once.
func (r *Recorder) fold(tx *outbox.Tx, o rules.Observation) {
	journey := r.load(tx, o.Journey)
	if journey.Child != nil {
		// The request named the study; the journey is the one of the survey allotted.
		o.Journey, o.Survey = *journey.Child, ""
		journey = r.load(tx, o.Journey)
	}
	var events []*rules.Event
	if len(journey.Waiting) > 0 || r.joins != nil && journey.MayHavePast(&o) {
		events = r.wait(tx, journey, &o)
	} else {
		events = journey.Fold(&o)
	}
	if journey.Begun() || len(journey.Waiting) > 0 {
		r.save(tx, o.Journey, journey, o.At)
	}
	r.deliver(tx, o.Journey, events)
	if o.Via != (rules.Key{}) && o.Page != nil {
		r.save(tx, o.Via, &rules.Journey{Child: &o.Journey}, o.At)
	}
}

// settleStored lets the events of a journey go, whatever is still in flight.
func (r *Recorder) settleStored(tx *outbox.Tx, key rules.Key) {
	journey := r.load(tx, key)
	if journey.Child != nil {
		key = *journey.Child
		journey = r.load(tx, key)
	}
	if len(journey.Unsettled) == 0 {
		return
	}
	events := journey.Settle()
	r.save(tx, key, journey, r.now())
	r.deliver(tx, key, events)
}

// settleLeftovers settles the events that waited for exchanges of an earlier
// process, and asks again for the pasts that it did not get.
func (r *Recorder) settleLeftovers(tx *outbox.Tx) {
	for _, text := range tx.Unsettled() {
		key := rules.ParseKey(text)
		journey := r.load(tx, key)
		switch {
		case len(journey.Waiting) == 0:
			r.settleStored(tx, key)
		case r.joins == nil:
			r.joinStored(tx, join{journey: key, leftover: true}, nil)
		default:
			r.askJoin(tx, key, journey, true)
		}
	}
}

func (r *Recorder) submitSettle(key rules.Key) {
	r.submit(func(tx *outbox.Tx) { r.settleStored(tx, key) })
}

// load gives the stored journey, or a new one. A damaged one is begun anew,
// which is told of: its participant's next events will be partial.
func (r *Recorder) load(tx *outbox.Tx, key rules.Key) *rules.Journey {
	data, ok := tx.Journey(key.Bytes())
	if !ok {
		return &rules.Journey{}
	}
	journey, err := rules.DecodeJourney(data, tx.Page)
	if err != nil {
		r.complain.say("a journey is begun anew", "cause", err.Error())
		return &rules.Journey{Partial: true}
	}
	return journey
}

func (r *Recorder) save(tx *outbox.Tx, key rules.Key, journey *rules.Journey, at time.Time) {
	data, err := journey.Encode(tx.PutPage)
	if err != nil {
		r.complain.say("a journey could not be stored", "cause", err.Error())
		return
	}
	tx.PutJourney(key.Bytes(), data, at)
	if len(journey.Unsettled)+len(journey.Waiting) > 0 {
		tx.MarkUnsettled(key.Bytes())
	} else {
		tx.ClearUnsettled(key.Bytes())
	}
}

// deliver puts one delivery of each event into the outbox for every target that gets it.
func (r *Recorder) deliver(tx *outbox.Tx, key rules.Key, events []*rules.Event) {
	routing := r.routing.Load()
	for _, event := range events {
		name := event.Name()
		tx.After(func() { r.counts.event(name) })
		for _, delivery := range routing.deliveries(tx.Epoch(), key, event) {
			tx.Enqueue(delivery)
		}
	}
}

// eventID is the same whenever the same event is made again, and no other store
// can make it: the epoch is the store's own. It is the same for all targets but
// those that must not learn who the participant is: they could ask another.
func eventID(epoch string, key rules.Key, place int, target string, to recipient) string {
	if to.redaction.HidesParticipant() {
		return "evt_" + digest(epoch, key.Bytes(), strconv.Itoa(place), "event", target)
	}
	return "evt_" + digest(epoch, key.Bytes(), strconv.Itoa(place))
}

// deliveryID is the same whenever the same event is made again for a target, and
// no other target's. Who doesn't know the epoch can't tell from it what it is made of.
func deliveryID(epoch string, key rules.Key, place int, target string) string {
	return "msg_" + digest(epoch, key.Bytes(), strconv.Itoa(place), target)
}

// digest hashes its parts, none of which can be told from it without the epoch.
func digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// surveyName is how operators see which survey a delivery is about.
func surveyName(s *rules.Survey) string {
	if s.FriendlyID != "" {
		return s.FriendlyID
	}
	return s.ID + "/" + s.Instance
}
