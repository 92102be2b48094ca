package rules

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
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
	// Answers are those of a form, and OnPage reports whether only those to items of the
	// page count that the participant was on.
	Answers []ItemAnswer `json:",omitempty"`
	OnPage  bool         `json:",omitempty"`
	// Attempt is what the exchange says of the attempt, and Outcome how the survey ended.
	Attempt attempt `json:",omitempty"`
	Outcome Outcome `json:",omitempty"`
	// Served is the key of the page in the response, and Posted that of the page from
	// which the request came. A request from a page that is superseded counts for nothing.
	Served, Posted string `json:",omitempty"`
	// IsConfirmed reports whether a condition of the route holds for the response, which
	// therefore says by itself what the exchange is.
	IsConfirmed bool `json:",omitempty"`
	// IsDigested reports whether the participant's id is the digest of a credential,
	// IsChained whether that is a cookie, and Renamed is its value from now on, empty if
	// it stays.
	IsDigested bool   `json:",omitempty"`
	IsChained  bool   `json:",omitempty"`
	Renamed    string `json:",omitempty"`
	// KnownAs is another name of the participant, by which they may come again.
	KnownAs string `json:",omitempty"`
	// Loads reports whether a page that is shown is also loaded, since no other
	// exchange says so.
	Loads bool `json:",omitempty"`
	// LacksPages reports whether a journey that has no page yet is partial: its answers
	// are to a page that was not observed, or there must have been one before the end.
	LacksPages bool `json:",omitempty"`
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
	// Order is set if several replicas observe, so that observations which came later
	// may have been folded before: it is At or, where that was not in order, about then.
	Order time.Time `json:",omitzero"`
	// Began is when the request came, by the same clock.
	Began time.Time `json:",omitzero"`
}

// maxID is the length of the longest id, in bytes: ids are keys of the store.
const maxID = 512

var (
	errUninspected = errors.New("its bodies could not be copied")
	errNoSurvey    = errors.New("it names no survey")
	errLongID      = fmt.Errorf("an id in it is longer than %d bytes", maxID)
)

// Observe reads what an exchange says. ok is false if it says nothing: the app
// did not accept the request, or there is no participant yet. An error means that
// an accepted exchange could not be read; it contains no id and no answer. Of an
// answer that could not be read, ok is true all the same: it is unknown. The
// caller sets Begins, At, Alone, Ticket, InFlight, InFlightItems, Order and Began.
func (p *Profile) Observe(m Match, x Exchange) (o Observation, ok bool, err error) {
	r := m.reading(p, x)
	for _, alternative := range m.route.alternatives {
		if !alternative.when.holds(x) {
			continue
		}
		if alternative.only.failing(r) != "" {
			if why := alternative.lacks(x.LacksRequest, x.LacksResponse); why != "" { // so that nobody knows
				err = fmt.Errorf("%w: %s", errUninspected, why)
			}
			continue
		}
		m.route = alternative
		return p.observe(m, r)
	}
	if m.next != nil && err == nil {
		return p.Observe(*m.next, x)
	}
	return Observation{}, false, err
}

func (p *Profile) observe(m Match, r *reading) (o Observation, ok bool, err error) {
	o = Observation{Kind: m.route.kind, Host: r.Host, Traceparent: r.Traceparent, IsConfirmed: m.route.only.readResponse()}
	if err = m.route.check(r); err != nil {
		o.Journey, o.IsUnknown, o.Item = m.Journey(), true, m.params["item"]
		return o, o.Kind == Answered && o.Item != "" && o.Journey.Participant != "" && !o.hasLongID(), err
	}
	p.readIDs(&o, m, r)
	if o.Kind == SurveyShown {
		return p.observeSurvey(o, r)
	}
	switch {
	case o.Journey.Participant == "":
		return Observation{}, false, nil
	case p.isBySurvey && o.Journey.Instance == "":
		return Observation{}, false, errNoSurvey
	}
	switch o.Kind {
	case PageLoaded:
		o.PageID = m.id("page", r)
	case PageShown, Navigated, Reached:
		if o.Page, err = p.readShown(m, r); err == nil && o.Page == nil && o.Kind == Reached {
			return Observation{}, false, nil
		}
		body, _ := r.body(responseBody)
		o.PageCount = int(jsonpath.Get(body, p.page.Count).Int())
	case Completed:
		o.LacksPages = p.hasPages
	}
	p.readAnswers(&o, m, r)
	o.Loads = o.Page != nil && !p.hasLoads
	if err == nil && o.hasLongID() {
		err = errLongID
	}
	return o, err == nil, err
}

// observeSurvey reads the definitions of a survey's items. They are those of no
// participant.
func (p *Profile) observeSurvey(o Observation, r *reading) (Observation, bool, error) {
	body, _ := r.body(responseBody)
	page := &Page{ID: o.Survey}
	p.readItems(page, jsonpath.Get(body, p.survey.Items).Array())
	if o.Survey == "" || page.Item == nil {
		return Observation{}, false, nil
	}
	o.Journey, o.Page = surveyKey(o.Survey), page
	if o.hasLongID() {
		return o, false, errLongID
	}
	return o, true, nil
}

// readShown reads the page of an exchange: its definition, or its id alone where
// the route names that.
func (p *Profile) readShown(m Match, r *reading) (*Page, error) {
	id := m.id("page", r)
	if p.page.At == "" {
		return pageOf(id), nil
	}
	body, err := r.body(responseBody)
	if err != nil && id != "" {
		return pageOf(id), nil
	}
	return p.readPage(jsonpath.Get(body, p.page.At), id)
}

// pageOf returns a page of which only the id is known: an id of digits is its number, too.
func pageOf(id string) *Page {
	number, _ := strconv.Atoi(id)
	return &Page{ID: id, Number: max(number, 0)}
}

func (p *Profile) readAnswers(o *Observation, m Match, r *reading) {
	switch route := m.route; {
	case route.answers != nil:
		o.Answers, o.OnPage = route.answers.read(r), route.answers.onPage
		isFromPage := len(route.posted) == 0 || o.Posted != ""
		o.LacksPages = o.LacksPages || o.OnPage && isFromPage && len(o.Answers) > 0
	case route.answer.from == noOrigin:
	case o.Kind == Answered && p.hasPages:
		o.Item, o.Answer = m.id("item", r), readAnswer(route.answer.value(r))
	default: // as of a form: no page has to list the item
		o.Answers = []ItemAnswer{{Item: m.id("item", r), Answer: readAnswer(route.answer.value(r))}}
	}
}

// observationOverhead is what an observation takes beside its texts.
const observationOverhead = 512

// Size is about what the observation takes in memory, in bytes.
func (o *Observation) Size() int {
	size := observationOverhead + len(o.Answer)
	for i := range o.Answers {
		size += recordOverhead + len(o.Answers[i].Item) + len(o.Answers[i].Answer) + len(o.Answers[i].All)
	}
	if o.Page != nil {
		size += o.Page.size()
	}
	return size
}

// hasLongID reports whether an id is longer than maxID.
func (o *Observation) hasLongID() bool {
	longest := max(len(o.Journey.Instance), len(o.Journey.Participant), len(o.Survey), len(o.Study), len(o.Via.Instance),
		len(o.Item), len(o.PageID), len(pageID(o.Page)), len(o.Served), len(o.Posted), len(o.KnownAs))
	for i := range o.Answers {
		longest = max(longest, len(o.Answers[i].Item))
	}
	return longest > maxID
}

// readAnswer returns the bytes of an answer; null for one that is missing.
func readAnswer(value gjson.Result) []byte {
	return []byte(cmp.Or(value.Raw, "null"))
}

func (p *Profile) readIDs(o *Observation, m Match, r *reading) {
	survey := m.id("survey", r)
	participant, from := m.idFrom("participant", r)
	o.Journey = m.key(survey, m.id("instance", r), participant)
	o.Attempt, o.Outcome = m.route.attempt, m.route.outcome
	o.Served, o.Posted = firstText(m.route.served, r), firstText(m.route.posted, r)
	o.IsDigested = from.isCredential()
	o.KnownAs = firstText(m.route.knownAs, r)
	if from.from == cookie || from.from == setCookie {
		o.IsChained = true
		o.Renamed, _ = source{from: setCookie, name: from.name}.text(r)
	}
	if survey != "" {
		o.Survey, o.FriendlyID = survey, p.friendly.name(survey, o.Journey.Instance)
	}
	named := m.Journey()
	if m.route.hasParam("survey") && named.Instance != o.Journey.Instance && p.history != nil {
		named.Participant = o.Journey.Participant
		study := m.params["survey"]
		o.Via, o.Study = named, cmp.Or(p.friendly.name(study, named.Instance), study)
	}
}

// firstText returns the text of the first source that has one.
func firstText(sources []source, r *reading) string {
	for _, s := range sources {
		if text, _ := s.text(r); text != "" {
			return text
		}
	}
	return ""
}
