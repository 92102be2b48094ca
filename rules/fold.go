package rules

import "time"

// PastTimeout is how long reading a past may take. A Fold requests a past again
// when an observation comes after twice that time.
const PastTimeout = 30 * time.Second

// Journeys is the store of a Fold.
type Journeys interface {
	// Load returns the journey saved under key, or a new one.
	Load(key Key) *Journey
	// Save keeps a journey under key. at is the time of its last exchange.
	Save(key Key, journey *Journey, at time.Time)
}

// Fold takes observations into journeys, one call after the other, and returns
// what comes of each.
//
//	Observe ─┬─► Step.Events                       deliver them
//	         ├─► Step.Settle ─► Settle             after the settle time
//	         └─► Step.Past   ─► ReadPast ─► Join   at most PastTimeout later
//
// It does nothing by itself: the caller reads pasts and keeps the time. After a
// restart, the caller passes each journey with unfinished work to Resume.
type Fold struct {
	Journeys Journeys
	// ReadsPasts reports whether the caller can read the pasts that a Step
	// requests. Otherwise every journey is taken to begin with its first observation.
	ReadsPasts bool
}

// Step is what comes of one call of a Fold, and what the caller has to do next.
type Step struct {
	// Journey is the key of the journey that the events belong to. It differs from
	// the observation's where the request named a study.
	Journey Key
	// Events are ready to be delivered, oldest first.
	Events []*Event
	// Made is the number of events made, including those that wait for answers in flight.
	Made int
	// Settle reports whether events wait for answers in flight: the caller calls
	// Fold.Settle with Journey once they have waited long enough.
	Settle bool
	// Past is a past to read and to pass to Fold.Join; nil for none.
	Past *PastRequest
}

// PastRequest names the past of one journey.
type PastRequest struct {
	Journey Key
	// Survey is the survey's id.
	Survey string
	// Host is the Host header of the participant's request.
	Host string
}

// Observe takes an observation into its journey. Observations come in the order
// in which the app's responses ended.
func (f Fold) Observe(o Observation) Step {
	key, journey := f.Find(o.Journey)
	if key != o.Journey {
		o.Journey, o.Survey = key, ""
	}
	step := Step{Journey: key}
	place := journey.Place
	switch {
	case journey.state() == joining, f.ReadsPasts && journey.mayHavePast(&o):
		step.Events, step.Past = f.wait(journey, &o)
	default:
		step.Events = journey.fold(&o)
	}
	step.Made = journey.Place - place
	step.Settle = step.Made > 0 && len(journey.Unsettled) > 0
	if journey.state() != unknown {
		f.Journeys.Save(key, journey, o.At)
	}
	if o.Via != (Key{}) && o.Page != nil {
		f.Journeys.Save(o.Via, &Journey{Child: &key}, o.At)
	}
	return step
}

// Join puts a past before the observations that wait for it. A nil past means
// that it could not be read. ok is false if nothing waits for it any more.
func (f Fold) Join(key Key, past *Past) (step Step, ok bool) {
	journey := f.Journeys.Load(key)
	if journey.state() != joining {
		return Step{Journey: key}, false
	}
	return f.join(key, journey, past), true
}

// Settle returns the events that wait for answers in flight, whatever has come.
func (f Fold) Settle(key Key, at time.Time) Step {
	key, journey := f.Find(key)
	if len(journey.Unsettled) == 0 {
		return Step{Journey: key}
	}
	events := journey.settle()
	f.Journeys.Save(key, journey, at)
	return Step{Journey: key, Events: events}
}

// Resume continues a journey that an earlier process left with unfinished work.
// The exchanges then in flight never end, and the past was not read.
func (f Fold) Resume(key Key, now time.Time) Step {
	journey := f.Journeys.Load(key)
	if journey.state() != joining {
		return f.Settle(key, now)
	}
	for _, o := range journey.Waiting {
		o.InFlight = nil
	}
	if !f.ReadsPasts {
		return f.join(key, journey, nil)
	}
	journey.Asked = now
	f.Journeys.Save(key, journey, journey.lastWaiting().At)
	return Step{Journey: key, Past: journey.pastRequest()}
}

// Find returns the journey that key leads to, and its own key: where key names a
// study, those of the survey that the participant was allotted to.
func (f Fold) Find(key Key) (Key, *Journey) {
	journey := f.Journeys.Load(key)
	if journey.state() == moved {
		key = *journey.Child
		journey = f.Journeys.Load(key)
	}
	return key, journey
}

// wait keeps an observation until its past is read, and requests that as soon as
// the survey's id is known; again if it has not come for long. A journey with too
// many observations goes on without a past.
func (f Fold) wait(journey *Journey, o *Observation) ([]*Event, *PastRequest) {
	if !journey.wait(o) || !f.ReadsPasts {
		return journey.join(nil), nil
	}
	isRequested := !journey.Asked.IsZero() && o.At.Sub(journey.Asked) <= 2*PastTimeout
	if journey.Survey == "" || isRequested {
		return nil, nil
	}
	journey.Asked = o.At
	return nil, journey.pastRequest()
}

func (f Fold) join(key Key, journey *Journey, past *Past) Step {
	at := journey.lastWaiting().At
	events := journey.join(past)
	f.Journeys.Save(key, journey, at)
	waiting := len(journey.Unsettled)
	return Step{Journey: key, Events: events, Made: len(events) + waiting, Settle: waiting > 0}
}
