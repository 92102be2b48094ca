package rules

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// Observation is what one exchange says.
type Observation struct {
	// Kind is stored under the name that it had in earlier releases.
	Kind    Kind `json:"Says"`
	Journey Key
	// Survey is the survey's id, and FriendlyID the app's short name of the
	// instance. Both are empty where the exchange does not name the survey.
	Survey, FriendlyID string
	// Study and Via are set where the request named a study, and the response the
	// survey that the participant was allotted to: Study is the study's friendly id
	// or else its id, Via the journey that the request named.
	Study string
	Via   Key
	// Page is the page in the response of PageShown and Navigated, nil if the
	// survey is completed.
	Page *Page
	// PageCount is the number of pages of the survey, 0 if unknown.
	PageCount int
	// PageID is the page of PageLoaded.
	PageID string
	// Item is the item of Answered, and Answer the JSON that the participant sent.
	// IsUnknown marks an answer that the app accepted and that could not be read.
	Item      string
	Answer    []byte
	IsUnknown bool `json:",omitempty"`
	// Host is the request's Host header.
	Host string
	// Begins reports whether the app has just created the participant.
	Begins bool
	// At is the end of the app's response.
	At          time.Time
	Traceparent string
	// Alone reports whether no other exchange of the participant that disturbs
	// this one was in flight with it.
	Alone bool
	// Ticket identifies the exchange among those in flight. InFlight are the
	// tickets of the journey's answers that were in flight when it ended, and
	// InFlightItems their items.
	Ticket        uint64
	InFlight      []uint64
	InFlightItems []string `json:",omitempty"`
}

// maxID is the length of the longest id, in bytes: ids are keys of the store.
const maxID = 512

var (
	errUninspected = errors.New("its bodies could not be copied")
	errLongID      = fmt.Errorf("an id in it is longer than %d bytes", maxID)
)

// Observe reads what an exchange says. ok is false if it says nothing: the app
// did not accept the request, or there is no participant yet. An error means that
// an accepted exchange could not be read; it contains no id and no answer. Of an
// answer that could not be read, ok is true all the same: it is unknown. The
// caller sets Begins, At, Alone, Ticket, InFlight and InFlightItems.
func (p *Profile) Observe(m Match, x Exchange) (o Observation, ok bool, err error) {
	if !m.route.when.holds(x) {
		return Observation{}, false, nil
	}
	o = Observation{Kind: m.route.kind, Host: x.Host, Traceparent: x.Traceparent, PageID: m.params["page"], Item: m.params["item"]}
	x, err = m.route.read(x)
	if err != nil {
		o.Journey, o.IsUnknown = m.Journey(), true
		return o, o.Kind == Answered && o.Journey.Participant != "" && !o.hasLongID(), err
	}
	p.readIDs(&o, m, x)
	if o.Journey.Participant == "" {
		return Observation{}, false, nil
	}
	switch o.Kind {
	case PageShown, Navigated:
		o.PageCount = int(jsonpath.Get(x.ResponseBody, p.page.Count).Int())
		o.Page, err = p.readPage(jsonpath.Get(x.ResponseBody, p.page.At))
	case Answered:
		o.Answer = readAnswer(m.route.answer.value(x))
	}
	if err == nil && o.hasLongID() {
		err = errLongID
	}
	return o, err == nil, err
}

// hasLongID reports whether an id is longer than maxID.
func (o *Observation) hasLongID() bool {
	return max(len(o.Journey.Instance), len(o.Journey.Participant), len(o.Survey), len(o.Study), len(o.Via.Instance),
		len(o.Item), len(o.PageID), len(pageID(o.Page))) > maxID
}

// readAnswer returns the bytes of an answer; null for one that is missing.
func readAnswer(value gjson.Result) []byte {
	return []byte(cmp.Or(value.Raw, "null"))
}

func (p *Profile) readIDs(o *Observation, m Match, x Exchange) {
	survey := m.id("survey", x)
	o.Journey = newKey(survey, m.id("instance", x), m.id("participant", x))
	if survey != "" {
		o.Survey, o.FriendlyID = survey, p.friendly.name(survey, o.Journey.Instance)
	}
	named := m.Journey()
	if named.Instance != o.Journey.Instance {
		named.Participant = o.Journey.Participant
		study := m.params["survey"]
		o.Via, o.Study = named, cmp.Or(p.friendly.name(study, named.Instance), study)
	}
}
