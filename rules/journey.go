package rules

import (
	"slices"
	"time"
)

// The bounds of a journey: the app lets anybody log anything for any participant.
// Past a bound, a new page or answer is left out and the journey is Partial.
const (
	maxPages       = 1000
	maxItems       = 1000
	maxAnswerBytes = 4 << 20
	maxUnsettled   = 100
)

// Journey is what one participant has done so far in one survey instance, the
// fold of their observations. The zero value is a journey that has not begun. It
// is not safe for concurrent use.
type Journey struct {
	// Child is set if the participant of a study was allotted to one of its
	// surveys: the journey continues there, and this one is empty.
	Child *Key
	// Survey is the survey's id, FriendlyID the short name of its instance, and
	// Study the study through which the participant entered.
	Survey, FriendlyID, Study string
	// Started is when the first page was loaded.
	Started time.Time
	// Place is the number of navigations so far.
	Place int
	// Pointer is the id of the page that the participant is on, empty if unknown
	// and at the end.
	Pointer string
	// Done reports whether the participant has completed the survey.
	Done bool
	// Partial reports whether something of the journey is unknown.
	Partial bool
	// PageCount is the number of pages of the survey, as the app last said.
	PageCount int
	Pages     []*PageState
	// Answers are the last answers, by item.
	Answers map[string]Answer
	// Waiting are the observations that wait for the participant's past, oldest
	// first. Asked is when the past was requested.
	Waiting []*Observation `json:",omitempty"`
	Asked   time.Time      `json:",omitzero"`
	// Unsettled are the events that wait for answers in flight, oldest first.
	Unsettled []*Unsettled
}

// Answer is the last answer to an item.
type Answer struct {
	Bytes    []byte
	Recorded time.Time
}

// Unsettled is an event that waits for answers in flight.
type Unsettled struct {
	Event *Event
	// Tickets are the exchanges that it waits for.
	Tickets []uint64
}

// fold adds the next observation, and returns the events that are ready to be
// delivered, oldest first. Observations come in the order in which the app's
// responses ended.
func (j *Journey) fold(o *Observation) []*Event {
	if o.Survey != "" {
		j.Survey, j.FriendlyID = o.Survey, o.FriendlyID
	}
	if o.Study != "" {
		j.Study = o.Study
	}
	switch o.Kind {
	case PageShown:
		j.pageShown(o)
	case PageLoaded:
		j.pageLoaded(o)
	case Answered:
		j.answered(o)
	case Navigated:
		j.navigated(o)
	}
	j.stopWaiting(o.Ticket)
	return j.settled()
}

// settle returns the events that wait for answers, whatever is still in flight.
func (j *Journey) settle() []*Event {
	for _, u := range j.Unsettled {
		u.Tickets = nil
	}
	return j.settled()
}

// pageShown adds the page's definition. If the page is not the pointer's, a
// navigation went unseen, unless one is in flight right now.
func (j *Journey) pageShown(o *Observation) {
	if j.Pointer == "" {
		if o.Page != nil {
			j.learn(o)
			j.Pointer = o.Page.ID
		}
		return
	}
	j.learn(o)
	if o.Alone && !j.Done && pageID(o.Page) != j.Pointer {
		j.navigate(o, true)
	}
}

func (j *Journey) pageLoaded(o *Observation) {
	page := j.page(o.PageID)
	if page == nil {
		return
	}
	page.Loaded, page.Left = o.At, false
	if j.Started.IsZero() {
		j.Started = o.At
	}
	j.Pointer = o.PageID
}

func (j *Journey) answered(o *Observation) {
	if !j.hasRoomFor(o) {
		j.Partial = true
		return
	}
	if j.Answers == nil {
		j.Answers = map[string]Answer{}
	}
	answer := Answer{Bytes: o.Answer, Recorded: o.At}
	j.Answers[o.Item] = answer
	for _, u := range j.Unsettled {
		if slices.Contains(u.Tickets, o.Ticket) {
			u.Event.answer(o.Item, answer)
		}
	}
}

// navigated folds a navigation to the page in the app's response. The page that
// the participant is on already means that the app refused to navigate, or that
// this is the second of two clicks.
func (j *Journey) navigated(o *Observation) {
	if j.Done || j.Pointer == pageID(o.Page) && o.Page != nil {
		return
	}
	j.learn(o)
	if j.Pointer == "" && o.Page != nil {
		// Where the participant was is unknown, so the app may have refused.
		j.Partial = true
		j.Pointer = o.Page.ID
		return
	}
	j.navigate(o, false)
}

// navigate moves the pointer to o.Page, and makes the event of that navigation.
func (j *Journey) navigate(o *Observation, recovered bool) {
	j.Place++
	event := j.event(o)
	event.Recovered = recovered
	if from := j.find(j.Pointer); from != nil {
		from.Left = true
	}
	j.Done = o.Page == nil
	j.Pointer = pageID(o.Page)
	j.Unsettled = append(j.Unsettled, &Unsettled{Event: event, Tickets: o.InFlight})
	if len(j.Unsettled) > maxUnsettled {
		j.Unsettled[0].Tickets = nil
	}
}

// hasRoomFor reports whether an answer is within the bounds of the journey.
func (j *Journey) hasRoomFor(o *Observation) bool {
	size := len(o.Answer)
	for item, answer := range j.Answers {
		if item != o.Item {
			size += len(answer.Bytes)
		}
	}
	_, known := j.Answers[o.Item]
	return size <= maxAnswerBytes && (known || len(j.Answers) < maxItems)
}

// stopWaiting removes the ticket of an exchange that has ended from the events
// that wait for it.
func (j *Journey) stopWaiting(ticket uint64) {
	for _, u := range j.Unsettled {
		u.Tickets = slices.DeleteFunc(u.Tickets, func(t uint64) bool { return t == ticket })
	}
}

// settled removes the first events that wait for nothing, and returns them. An
// event never overtakes an earlier one.
func (j *Journey) settled() []*Event {
	var ready []*Event
	for len(j.Unsettled) > 0 && len(j.Unsettled[0].Tickets) == 0 {
		ready = append(ready, j.Unsettled[0].Event)
		j.Unsettled = j.Unsettled[1:]
	}
	return ready
}
