package rules

import (
	"slices"
	"time"
)

// Bounds of a journey. The app lets anybody log anything for any participant,
// so what a journey keeps has to end somewhere; past a bound the new page or
// answer is left out and Partial says so.
const (
	maxPages       = 1000
	maxItems       = 1000
	maxAnswerBytes = 4 << 20
	maxUnsettled   = 100
)

// Journey is what one participant has done so far in one survey instance: the
// fold of the observations. Its zero value is a journey not begun.
type Journey struct {
	// Child is set where the participant was allotted to another survey: this
	// journey goes on there, and has nothing of its own.
	Child *Key
	// Survey is the survey's id and FriendlyID the short name of its instance;
	// Study is the study that the participant entered by.
	Survey, FriendlyID, Study string
	// Started is when the first page was loaded.
	Started time.Time
	// Place is the number of navigations so far.
	Place int
	// Pointer is the id of the page that the app has the participant on.
	Pointer string
	Done    bool
	// Partial tells that something of the journey is not in it.
	Partial bool
	// PageCount is what the app said last.
	PageCount int
	Pages     []*PageState
	Answers   map[string]Answer
	// Waiting are the observations that wait for what was before them, oldest
	// first; Asked is when that was asked for.
	Waiting []*Observation `json:",omitempty"`
	Asked   time.Time      `json:",omitzero"`
	// Unsettled are the events that wait for answers in flight, oldest first.
	Unsettled []*Unsettled
}

// PageState is what a journey knows of one page.
type PageState struct {
	ID string
	// Definition is nil for a page that was loaded but never shown to us.
	Definition *Page
	// Position is the page's place in the participant's own order, from 1.
	Position int
	// Loaded is the last time the page was loaded.
	Loaded time.Time
	// Left tells that a navigation from the page came after its last load.
	Left bool
}

// Answer is the last answer to an item.
type Answer struct {
	Bytes    []byte
	Recorded time.Time
}

// Unsettled is an event whose answers are still in flight.
type Unsettled struct {
	Event *Event
	// Tickets are the exchanges that it waits for.
	Tickets []uint64
}

// fold takes the next observation into the journey and gives the events that
// are ready to go, oldest first. The order of observations is the order in
// which the app's responses ended.
func (j *Journey) fold(o *Observation) []*Event {
	if o.Survey != "" {
		j.Survey, j.FriendlyID = o.Survey, o.FriendlyID
	}
	if o.Study != "" {
		j.Study = o.Study
	}
	switch o.Says {
	case PageShown:
		j.pageShown(o)
	case PageLoaded:
		j.pageLoaded(o)
	case AnsweredItem:
		j.answered(o)
	case Navigated:
		j.navigated(o)
	}
	j.stopWaiting(o.Ticket)
	return j.settled()
}

// settle gives the events that have waited long enough, whatever is still in flight.
func (j *Journey) settle() []*Event {
	for _, u := range j.Unsettled {
		u.Tickets = nil
	}
	return j.settled()
}

// pageShown learns the page. A page that is not the pointer's tells of a
// navigation that went unseen, unless one may just be on its way past us.
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

// navigated takes a navigation that the app answered. The page that it was
// already on means that the app refused it, or that it was the second of two
// clicks.
func (j *Journey) navigated(o *Observation) {
	if j.Done || j.Pointer == pageID(o.Page) && o.Page != nil {
		return
	}
	j.learn(o)
	if j.Pointer == "" && o.Page != nil {
		// Whether the app moved on or refused can't be told without knowing
		// where the participant was.
		j.Partial = true
		j.Pointer = o.Page.ID
		return
	}
	j.navigate(o, false)
}

// navigate makes the event of a navigation from the pointer to o.Page.
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

// learn takes in the page's definition as the participant sees it now, and
// gives a page that is new the next position.
func (j *Journey) learn(o *Observation) {
	if o.PageCount > 0 {
		j.PageCount = o.PageCount
	}
	if o.Page == nil {
		return
	}
	page := j.page(o.Page.ID)
	if page == nil {
		return
	}
	page.Definition = o.Page
	if page.Position == 0 {
		page.Position = 1 + j.shownPages()
	}
}

// page finds the page or makes it known; nil when there is no room for it.
func (j *Journey) page(id string) *PageState {
	if page := j.find(id); page != nil {
		return page
	}
	if len(j.Pages) >= maxPages {
		j.Partial = true
		return nil
	}
	page := &PageState{ID: id}
	j.Pages = append(j.Pages, page)
	return page
}

func (j *Journey) shownPages() int {
	n := 0
	for _, page := range j.Pages {
		if page.Position > 0 {
			n++
		}
	}
	return n
}

func (j *Journey) find(id string) *PageState {
	for _, page := range j.Pages {
		if page.ID == id {
			return page
		}
	}
	return nil
}

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

// stopWaiting takes the ticket of an exchange that has ended off every event
// that waits for it.
func (j *Journey) stopWaiting(ticket uint64) {
	for _, u := range j.Unsettled {
		u.Tickets = slices.DeleteFunc(u.Tickets, func(t uint64) bool { return t == ticket })
	}
}

// settled takes the events that wait for nothing off the front: a later one
// never overtakes.
func (j *Journey) settled() []*Event {
	var ready []*Event
	for len(j.Unsettled) > 0 && len(j.Unsettled[0].Tickets) == 0 {
		ready = append(ready, j.Unsettled[0].Event)
		j.Unsettled = j.Unsettled[1:]
	}
	return ready
}

func pageID(page *Page) string {
	if page == nil {
		return ""
	}
	return page.ID
}
