package rules

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/tidwall/gjson"
)

// Says is what an exchange says.
type Says string

// What an exchange can say.
const (
	// PageShown: the app gave the participant the page that they are on.
	PageShown Says = "page_shown"
	// PageLoaded: the participant's browser has put a page on the screen.
	PageLoaded Says = "page_loaded"
	// AnsweredItem: the app has stored an answer.
	AnsweredItem Says = "answered"
	// Navigated: the participant asked for the next page.
	Navigated Says = "navigated"
	// Nothing: an exchange that may have said something has ended without saying it.
	Nothing Says = "nothing"
)

// Observation is what one exchange says.
type Observation struct {
	Says    Says
	Journey Key
	// Survey is the survey's id, empty where the exchange does not name it;
	// FriendlyID is the app's short name of its instance.
	Survey, FriendlyID string
	// Study and Via are what the request named, where the app answered for
	// another: a study, and in Journey the survey allotted to the participant.
	Study string
	Via   Key
	// Page is the page in the response of page_shown and navigated; nil means completed.
	Page *Page
	// PageCount is how many pages the app says the survey has.
	PageCount int
	// PageID is the page that was loaded.
	PageID string
	// Item is the item that was answered, with Answer, the bytes that the participant sent.
	Item   string
	Answer []byte
	// Host is the request's Host header.
	Host string
	// Begins tells that the app has just made the participant up.
	Begins bool
	// At is when the app had answered.
	At          time.Time
	Traceparent string
	// Alone tells that nothing else of this participant that disturbs the exchange was in flight at any time of it.
	Alone bool
	// Ticket names the exchange among those in flight; InFlight are the tickets
	// of the journey's answers that were in flight when this exchange ended.
	Ticket   uint64
	InFlight []uint64
}

var errUninspected = errors.New("its bodies could not be copied")

// Observe tells what an exchange says. ok is false when it says nothing: the
// app did not accept it, or no participant is named yet. An error means that an
// accepted exchange could not be read; it names no participant and no answer.
func (p *Profile) Observe(m Match, x Exchange) (o Observation, ok bool, err error) {
	if !m.route.when.holds(x) {
		return Observation{}, false, nil
	}
	if x.Uninspected != "" {
		return Observation{}, false, fmt.Errorf("%w: %s", errUninspected, x.Uninspected)
	}
	if err := m.route.checkBodies(x); err != nil {
		return Observation{}, false, err
	}
	o = Observation{Says: m.route.says, Host: x.Host, Traceparent: x.Traceparent, PageID: m.params["page"], Item: m.params["item"]}
	p.readIDs(&o, m, x)
	if o.Journey.Participant == "" {
		return Observation{}, false, nil
	}
	switch o.Says {
	case PageShown, Navigated:
		o.PageCount = int(gjson.GetBytes(x.ResponseBody, p.page.Count).Int())
		o.Page, err = p.readPage(gjson.GetBytes(x.ResponseBody, p.page.At))
	case AnsweredItem:
		o.Answer = readAnswer(m.route.answer.value(x))
	}
	return o, err == nil, err
}

// readAnswer returns the bytes of an answer; null for one that is missing.
func readAnswer(value gjson.Result) []byte {
	return []byte(cmp.Or(value.Raw, "null"))
}

func (p *Profile) readIDs(o *Observation, m Match, x Exchange) {
	survey := trimZeros(m.id("survey", x))
	o.Journey = newKey(survey, m.id("instance", x), m.id("participant", x))
	if survey != "" {
		o.Survey, o.FriendlyID = survey, p.friendly.name(survey, o.Journey.Instance)
	}
	named := m.Journey()
	if named.Instance != o.Journey.Instance {
		named.Participant = o.Journey.Participant
		study := trimZeros(m.params["survey"])
		o.Via, o.Study = named, cmp.Or(p.friendly.name(study, named.Instance), study)
	}
}
