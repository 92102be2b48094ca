package rules

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
)

// The instances of journeys that lead from another name of a participant to the
// participant, and of those that have a survey's definitions. No app has them.
const (
	surveyInstance = "\x01survey"
	cookieInstance = "\x01cookie"
	nameInstance   = "\x01name"
)

// surveyKey is the key of the journey that has a survey's definitions, as one page.
func surveyKey(survey string) Key { return Key{surveyInstance, survey} }

// learnSurvey keeps the definitions of a survey's items.
func (f Fold) learnSurvey(o Observation) Step {
	journey := f.load(o.Journey)
	journey.learn(&o)
	journey.save(o.At)
	return Step{}.of(journey)
}

// surveyItems returns the definitions of the items of the journey's survey.
func (j *Journey) surveyItems() []Item {
	if j.Survey == "" {
		return nil
	}
	survey := &Journey{key: surveyKey(j.Survey), store: j.store, pages: j.pages}
	return survey.itemsOf(j.Survey)
}

// identify finds the participant whom the names in an exchange mean: a cookie, which
// the app may rename, and a name under which they saved what they did. The id is the
// digest of the first cookie.
func (f Fold) identify(o *Observation) {
	if o.IsDigested {
		o.Journey.Participant = f.keyed(o.Journey.Participant)
	}
	o.Renamed, o.KnownAs = f.keyed(o.Renamed), f.keyed(o.KnownAs)
	named := o.Journey.Participant
	if o.IsChained {
		o.Journey.Participant = f.linked(Key{cookieInstance, named}, named)
	}
	known := o.Journey.Participant
	if o.KnownAs != "" && o.Attempt == resumedAttempt {
		f.recall(o)
	}
	if !o.IsChained {
		return
	}
	if o.Journey.Participant != known {
		f.rename(named, o)
	}
	if o.Renamed != "" && f.linked(Key{cookieInstance, o.Renamed}, o.Renamed) != o.Journey.Participant {
		f.rename(o.Renamed, o)
	}
}

// rename has a cookie name the participant of o.
func (f Fold) rename(cookie string, o *Observation) {
	f.lead(Key{cookieInstance, cookie}, Key{cookieInstance, o.Journey.Participant}, o.At)
}

// recall finds the participant who saved what they did under a name. Whoever resumes
// what was observed resumes all of it.
func (f Fold) recall(o *Observation) {
	if saved := f.linked(nameKey(o.Journey, o.KnownAs), ""); saved != "" {
		o.Journey.Participant, o.Attempt = saved, sameAttempt
	}
}

// remember has the name of an observation lead to the participant from now on, whomever
// it led to before. A journey has one name, the last one, until it is completed or
// another attempt begins: before is the name that it had.
func (f Fold) remember(j *Journey, before string, o *Observation) {
	if o.KnownAs != "" {
		j.KnownAs = o.KnownAs
	}
	if j.Done {
		j.KnownAs = ""
	}
	if before != "" && before != j.KnownAs && f.linked(nameKey(j.key, before), "") == j.key.Participant {
		f.Journeys.Drop(nameKey(j.key, before))
	}
	if j.KnownAs != "" && o.KnownAs != "" {
		f.lead(nameKey(j.key, j.KnownAs), Key{nameInstance, j.key.Participant}, o.At)
	}
}

// nameKey is the key that leads from a name to a participant in the journey's survey.
func nameKey(journey Key, name string) Key {
	return Key{nameInstance, strconv.Quote(journey.Instance) + name}
}

// keyed returns a digest that nobody can make who does not know the fold's key: what
// is digested may be short enough to be guessed.
func (f Fold) keyed(digest string) string {
	if f.Key == "" || digest == "" {
		return digest
	}
	mac := hmac.New(sha256.New, []byte(f.Key))
	mac.Write([]byte(digest))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// linked returns the participant whom a name leads to, or else otherwise.
func (f Fold) linked(name Key, otherwise string) string {
	if link := f.load(name); link.state() == moved {
		return link.Child.Participant
	}
	return otherwise
}
