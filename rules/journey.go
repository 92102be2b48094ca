package rules

import "time"

// Journey is what one participant has done so far in one survey instance, the
// fold of their observations. The struct is the head of the journey; pages,
// answers, observations that wait for a past, and events that wait for answers
// are parts in the store. It is not safe for concurrent use.
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
	// IsSilent reports whether a silence was noted after the last exchange.
	IsSilent bool
	// Partial reports whether something of the journey is unknown.
	Partial bool
	// Keys are those of the last pages that the app has served.
	Keys pageKeys
	// KnownAs is the name under which the participant may come again, empty for none.
	KnownAs string
	// PageCount is the number of pages of the survey, as the app last said.
	PageCount int

	// KnownPages is the number of pages of the journey, and ShownPages that of those
	// with a position.
	KnownPages int
	ShownPages int
	// KnownAnswers is the number of items with an answer.
	KnownAnswers int
	// Bytes is the size of the pages and answers.
	Bytes int

	// Waits are the observations that wait for the participant's past.
	Waits waits
	// Asked is when the past was requested.
	Asked time.Time
	// Held are the events that wait for answers in flight, oldest first.
	Held []heldEvent
	// Amidst is the page that the app has shown last while a navigation was in flight, until
	// that is told.
	Amidst amidst
	// Moves are the last changes of the pointer, oldest first; empty unless several
	// replicas observe.
	Moves []move

	key    Key
	store  Journeys
	limits Limits
	pages  *PageCache
	rules  *Set
	// isPast reports whether a past is being folded, which makes no events.
	isPast bool
	// ready are events that wait for nothing, refused what was left out.
	ready   []*Event
	refused []Refusal
	// counts are for the statistics of the survey.
	counts []Count
}

// fold adds the next observation, and returns the events that are ready to be
// delivered, oldest first. Observations come in the order in which the app's
// responses ended.
func (j *Journey) fold(o *Observation) []*Event {
	j.goOn(o)
	if o.Survey != "" {
		j.Survey, j.FriendlyID = o.Survey, o.FriendlyID
	}
	if o.Study != "" {
		j.Study = o.Study
	}
	o, key := j.accepted(o)
	isLate := j.isLate(o)
	if !isLate && (o.Attempt != sameAttempt || j.Done && o.Kind == Reached) {
		j.beginAgain(o)
	}
	j.Partial = j.Partial || o.LacksPages && j.KnownPages == 0 && !j.Done
	j.formAnswers(o, key != unseenKey)
	pointer := j.Pointer
	if isFolded := isLate && j.foldLate(o); !isFolded {
		j.foldKind(o)
	}
	if !o.Order.IsZero() && j.Pointer != pointer {
		j.noteMove(o, pointer)
	}
	if o.Loads {
		j.loaded(o.Page.ID, o)
	}
	if o.Served != "" {
		j.Keys.add(o.Served)
	}
	j.stopWaiting(o.Ticket)
	return j.settled()
}

// foldKind folds what an observation says of where the participant is, or their answer.
func (j *Journey) foldKind(o *Observation) {
	switch o.Kind {
	case PageShown:
		j.pageShown(o)
	case PageLoaded:
		j.pageLoaded(o)
	case Answered:
		if o.Item != "" {
			j.answered(o)
		}
	case Navigated:
		j.navigated(o)
	case Reached:
		j.reached(o)
	case Completed:
		j.completed(o)
	}
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
	switch {
	case j.Done, pageID(o.Page) == j.Pointer, j.hasMovedSince(o.Began):
	case o.Alone:
		j.navigate(o, true)
	default:
		j.showAmidst(o)
	}
}

func (j *Journey) pageLoaded(o *Observation) {
	if j.loaded(o.PageID, o) {
		j.Pointer = o.PageID
	}
}

// loaded notes that a page is on the participant's screen; it returns false past a bound.
func (j *Journey) loaded(id string, o *Observation) bool {
	page := j.pageOrNew(id)
	if page == nil {
		return false
	}
	page.Loaded, page.Left = o.At, false
	isFirst := j.Started.IsZero()
	if isFirst {
		j.Started = o.At
		j.countStarted(page, o)
	}
	j.countReached(page, o.At)
	j.putPage(page)
	if isFirst {
		j.start(id, o)
	}
	return true
}

// beginAgain begins another attempt at the survey. The places go on, so that events
// keep different ids, and the keys of old pages stay superseded.
func (j *Journey) beginAgain(o *Observation) {
	ready := append(j.ready, j.settle()...)
	j.store.Drop(j.key)
	*j = Journey{
		Survey: j.Survey, FriendlyID: j.FriendlyID, Study: j.Study, Place: j.Place, Keys: j.Keys, Partial: o.Attempt == resumedAttempt,
		key: j.key, store: j.store, limits: j.limits, pages: j.pages, rules: j.rules, ready: ready, refused: j.refused, counts: j.counts,
	}
}

// reached folds that the participant is on a page. The first one is where they begin.
func (j *Journey) reached(o *Observation) {
	isNew := j.page(o.Page.ID) == nil
	j.learn(o)
	switch j.Pointer {
	case o.Page.ID:
	case "":
		j.Pointer = o.Page.ID
	default:
		// No form led to a new page, so the one that did was not observed.
		j.Partial = j.Partial || isNew && o.Posted == "" && len(j.Keys) > 0
		j.navigate(o, false)
	}
}

// completed folds the end of the survey, once.
func (j *Journey) completed(o *Observation) {
	if j.Done {
		return
	}
	j.navigate(o, false)
}

// navigated folds a navigation to the page in the app's response. The page that
// the participant is on already means that the app refused to navigate, or that
// this is the second of two clicks.
func (j *Journey) navigated(o *Observation) {
	if j.explainsAmidst(o) || j.Done || j.Pointer == pageID(o.Page) && o.Page != nil {
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
	if j.Place < maxNavigations {
		j.Place++
		if !j.isPast {
			event := j.event(o)
			event.Recovered = recovered
			j.hold(event, o)
		}
	} else {
		j.refuse(RefusedNavigation)
	}
	if from := j.page(j.Pointer); from != nil {
		from.Left = true
		j.countLeft(from, o.At, recovered)
		j.putPage(from)
	}
	if j.Amidst.From == j.Pointer && j.Amidst.To == pageID(o.Page) {
		j.Amidst = amidst{}
	}
	if j.Done = o.Page == nil; j.Done {
		j.countEnd(o, recovered)
	}
	j.Pointer = pageID(o.Page)
}

// refuse notes that something was left out of the journey.
func (j *Journey) refuse(what Refusal) {
	j.refused = append(j.refused, what)
	if what != RefusedAnswer { // an answer that is unknown is noted with its item
		j.Partial = true
	}
}

// hasRoomFor reports whether the journey may grow by so many bytes.
func (j *Journey) hasRoomFor(bytes int) bool {
	return j.Bytes+j.Waits.Bytes+bytes <= j.limits.journey()
}
