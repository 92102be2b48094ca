package rules

import (
	"math"
	"time"
)

// PastTimeout is how long reading a past may take. A Fold requests a past again
// when an observation comes after twice that time. It is also how long
// observations wait for the survey's id, without which no past can be read.
const PastTimeout = 30 * time.Second

// Fold takes observations into journeys, one call after the other, and returns
// what comes of each.
//
//	Observe ─┬─► Step.Events                       deliver them
//	         ├─► Step.Settle  ─► Settle            after the settle time
//	         ├─► Step.Past    ─► ReadPast ─► Join  at most PastTimeout later
//	         └─► Step.Expires ─► Expire            PastTimeout later
//
//	Mark.AwaitsSilence ─► Silence                  when nothing was heard for long
//
// It does nothing by itself: the caller reads pasts and keeps the time. After a
// restart, the caller passes each journey with unfinished work to Resume.
//
// An observation reads and writes the head of its journey and the page or answer
// that it is about. Only a navigation and Join read all pages and answers.
type Fold struct {
	Journeys Journeys
	Limits   Limits
	// Key makes the digests of credentials the store's own; without it they are
	// anybody's.
	Key string
	// Pages may be nil.
	Pages *PageCache
	// Rules are those in force. Events that only a rule makes which names them are left
	// out if none does; nil names none.
	Rules *Set
	// ReadsPasts reports whether the caller can read the pasts that a Step
	// requests. Otherwise every journey is taken to begin with its first observation.
	ReadsPasts bool
	// AsksWithoutSurvey reports whether a past can be read without the survey's id.
	AsksWithoutSurvey bool
	// IsCrowded reports whether so many observations of all journeys wait for pasts
	// that only those may join them whose survey is known; IsFull that none may.
	IsCrowded, IsFull bool
	// ExchangesGoOn reports whether the exchanges that were in flight when an earlier
	// process ended may end all the same: other replicas have them.
	ExchangesGoOn bool
	// Damaged is called for a journey that cannot be read: it begins anew, and is
	// partial. It may be nil. The error contains nothing of the journey.
	Damaged func(Key, error)
}

// Step is what comes of one call of a Fold, and what the caller has to do next.
type Step struct {
	// Journey is the key of the journey that the events belong to. It differs from
	// the observation's where the request named a study.
	Journey Key
	// Events are ready to be delivered, oldest first. Their answers are valid as long
	// as the bytes of the store.
	Events []*Event
	// Made is the number of events made, including those that wait for answers in flight.
	Made int
	// Settle reports whether events wait for answers in flight: the caller calls
	// Fold.Settle with Journey once they have waited long enough.
	Settle bool
	// Place is that of the journey's last event so far.
	Place int
	// Past is a past to read and to pass to Fold.Join; nil for none.
	Past *PastRequest
	// Urgent is a past that was requested before, and for which an event waits from
	// now on; nil for none.
	Urgent *PastRequest
	// Expires reports whether observations have begun to wait for the survey's id:
	// the caller calls Fold.Expire with Journey after PastTimeout.
	Expires bool
	// Waiting is the size of the journey's observations that wait for its past, in bytes.
	Waiting int
	// Refused is what was left out of the journey at a bound.
	Refused []Refusal
	// IsSilence reports whether Fold.Silence has noted one, so that the participant
	// counts as having abandoned the survey until they go on.
	IsSilence bool
	// Counts are for the statistics of the survey, in their order.
	Counts []Count
}

// PastRequest names the past of one journey.
type PastRequest struct {
	Journey Key
	// Survey is the survey's id.
	Survey string
	// Host is the Host header of the participant's request.
	Host string
	// IsUrgent reports whether an event waits for it.
	IsUrgent bool
}

// Observe takes an observation into its journey. Observations come in the order
// in which the app's responses ended.
func (f Fold) Observe(o Observation) Step {
	if o.Kind == SurveyShown {
		return f.learnSurvey(o)
	}
	if o.IsDigested || o.KnownAs != "" {
		f.identify(&o)
	}
	journey := f.find(o.Journey)
	if journey.key != o.Journey {
		o.Journey, o.Survey = journey.key, ""
	}
	place, name, step := journey.Place, journey.KnownAs, Step{}
	switch {
	case journey.state() == joining, f.ReadsPasts && journey.mayHavePast(&o):
		f.wait(journey, &o, &step)
	default:
		step.Events = journey.fold(&o)
	}
	step.Made = journey.Place - place
	step.Settle = step.Made > 0 && len(journey.Held) > 0
	if journey.state() != unknown {
		f.remember(journey, name, &o)
		journey.save(o.At)
	}
	if o.Via != (Key{}) && o.Page != nil {
		f.lead(o.Via, journey.key, o.At)
	}
	return step.of(journey)
}

// Join puts a past before the observations that wait for it. A nil past means
// that it could not be read. ok is false if nothing waits for it any more.
func (f Fold) Join(key Key, past *Past) (step Step, ok bool) {
	journey := f.load(key)
	if journey.state() != joining {
		return Step{}.of(journey), false
	}
	return f.join(journey, past), true
}

// Settle returns the events that wait for answers in flight, whatever has come.
func (f Fold) Settle(key Key, at time.Time) Step { return f.SettleUpTo(key, math.MaxInt, at) }

// SettleUpTo is Settle for the events with a place up to that of a Step, or earlier
// ones: later ones have not waited for long.
func (f Fold) SettleUpTo(key Key, place int, at time.Time) Step {
	journey := f.find(key)
	if len(journey.Held) == 0 {
		return Step{}.of(journey)
	}
	events := journey.settleUpTo(place)
	journey.save(at)
	return Step{Events: events}.of(journey)
}

// Expire drops observations that have waited for the survey's id in vain. The app
// has stored what they observed, so that it is part of the past that is read once
// the survey is known; and of a participant who was made up nothing is left.
func (f Fold) Expire(key Key) Step {
	journey := f.load(key)
	if journey.state() == joining && !f.canAsk(journey) {
		f.Journeys.Drop(key)
		journey.Waits = waits{}
	}
	return Step{}.of(journey)
}

// Resume continues a journey that an earlier process left with unfinished work.
// The exchanges then in flight never end, unless others have them, and the past was
// not read.
func (f Fold) Resume(key Key, now time.Time) Step {
	journey := f.load(key)
	orphans := journey.Waits.Count
	if f.ExchangesGoOn {
		orphans = 0
	}
	switch {
	case journey.state() != joining && f.ExchangesGoOn && len(journey.Held) > 0:
		journey.save(now)
		return Step{Settle: true}.of(journey)
	case journey.state() != joining:
		return f.Settle(key, now)
	case !f.ReadsPasts:
		journey.Waits.Orphans = orphans
		return f.join(journey, nil)
	case !f.canAsk(journey):
		return f.Expire(key)
	}
	journey.Waits.Orphans = orphans
	journey.Waits.HasNavigation = false // participants who are there now come first
	journey.Asked = now
	journey.save(journey.Waits.Last)
	return Step{Past: journey.pastRequest()}.of(journey)
}

// Find returns the journey that key leads to, and its own key: where key names a
// study, those of the survey that the participant was allotted to.
func (f Fold) Find(key Key) (Key, *Journey) {
	journey := f.find(key)
	return journey.key, journey
}

func (f Fold) find(key Key) *Journey {
	journey := f.load(key)
	if journey.state() == moved {
		journey = f.load(*journey.Child)
	}
	return journey
}

func (f Fold) load(key Key) *Journey {
	journey, err := loadJourney(f.Journeys, key, f.Limits)
	journey.pages, journey.rules = f.Pages, f.Rules
	if err != nil && f.Damaged != nil {
		f.Damaged(key, err)
	}
	return journey
}

// lead has the journey of a study lead to that of the survey allotted.
func (f Fold) lead(study, survey Key, at time.Time) {
	if isOther := f.load(study).state() != moved; isOther {
		f.Journeys.Drop(study)
	}
	(&Journey{Child: &survey, key: study, store: f.Journeys}).save(at)
}

// wait keeps an observation until its past is read, and requests that as soon as
// the survey's id is known; again if it has not come for long. A journey with too
// many observations goes on without a past or, if none was requested, begins anew.
func (f Fold) wait(journey *Journey, o *Observation, step *Step) {
	isFirst := journey.state() == unknown
	mayMore := journey.wait(o) && !f.IsFull && (f.canAsk(journey) || !f.IsCrowded)
	switch {
	case !f.ReadsPasts:
		step.Events = journey.join(nil)
	case !mayMore && !f.canAsk(journey):
		journey.refused = append(journey.refused, RefusedWait)
		f.Journeys.Drop(journey.key)
		journey.Waits = waits{}
	case !mayMore:
		journey.refuse(RefusedWait)
		step.Events = journey.join(nil)
	case !f.canAsk(journey):
		step.Expires = isFirst
	case journey.Asked.IsZero(), o.At.Sub(journey.Asked) > 2*PastTimeout:
		journey.Asked = o.At
		journey.Waits.HasNavigation = journey.Waits.HasNavigation || o.Kind == Navigated
		step.Past = journey.pastRequest()
	case o.Kind == Navigated && !journey.Waits.HasNavigation:
		journey.Waits.HasNavigation = true
		step.Urgent = journey.pastRequest()
	}
}

// canAsk reports whether the journey's past can be requested by now.
func (f Fold) canAsk(journey *Journey) bool { return journey.Survey != "" || f.AsksWithoutSurvey }

func (f Fold) join(journey *Journey, past *Past) Step {
	at, name := journey.Waits.Last, journey.KnownAs
	events := journey.join(past)
	f.remember(journey, name, &Observation{})
	journey.save(at)
	waiting := len(journey.Held)
	return Step{Events: events, Made: len(events) + waiting, Settle: waiting > 0}.of(journey)
}

// of returns the step with what it says of the journey as it is now.
func (s Step) of(j *Journey) Step {
	s.Journey, s.Place, s.Waiting, s.Refused, s.Counts = j.key, j.Place, j.Waits.Bytes, j.refused, j.counts
	return s
}
