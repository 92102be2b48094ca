package rules

import (
	"cmp"
	"time"

	"github.com/sidehook/sidehook/rules/funnel"
)

// tally is what the statistics know of a page in a journey. The values are stored.
//
//	uncounted ─► reached ─► left
type tally int

const (
	// uncounted: nothing was counted.
	uncounted tally = iota
	// countedReached: it was counted that the participant reached the page.
	countedReached
	// countedLeft: it was counted that the participant left the page, too.
	countedLeft
)

// Count is one thing to count in the statistics of a survey. It is valid as long as
// the bytes of the store.
type Count struct {
	What funnel.Counter
	// Survey is the survey instance; its ID may be that of the instance.
	Survey Survey
	// Page is the page that was reached, left or abandoned, zero for what is counted
	// of the survey. Only that of Reached has more than its id.
	Page PageRef
	// At is when it happened. Took is how long the participant was on the page that
	// they left, or took for the survey that they completed, nil if unknown.
	At   time.Time
	Took *time.Duration

	journey *Journey
}

// IsPersonal reports whether the page's name quotes an answer or the id of the
// participant, who alone sees it then. It reads the whole journey.
func (c *Count) IsPersonal() bool {
	if c.Page.Name == nil {
		return false
	}
	event := c.journey.event(&Observation{Journey: c.journey.key, At: c.At})
	isQuote, _ := hiddenAnswers(event, &Event{}).in(*c.Page.Name)
	return isQuote
}

// count counts something of the survey or, unless it is nil, of a page. What was
// before the first observation is not counted.
func (j *Journey) count(what funnel.Counter, page *PageRef, at time.Time, since time.Time) {
	if j.isPast {
		return
	}
	instance := cmp.Or(j.key.Instance, j.Survey)
	c := Count{What: what, Survey: Survey{ID: cmp.Or(j.Survey, instance), Instance: instance, FriendlyID: j.FriendlyID}, At: at, journey: j}
	if page != nil {
		c.Page = *page
	}
	if !since.IsZero() {
		c.Took = new(at.Sub(since))
	}
	j.counts = append(j.counts, c)
}

// countStarted counts that the participant has loaded their first page, unless the app
// never showed it: anybody may say that they have loaded one. A resumed attempt was
// counted when it began.
func (j *Journey) countStarted(page *pageState, o *Observation) {
	if page.Position > 0 && o.Attempt != resumedAttempt {
		j.count(funnel.Started, nil, o.At, time.Time{})
	}
}

// countReached counts that the participant is on a page, once. A page that the app
// never showed counts for nothing.
func (j *Journey) countReached(page *pageState, at time.Time) {
	if page.tally != uncounted || page.Position == 0 || j.isPast {
		return
	}
	page.tally = countedReached
	ref := knownPage{page, j.definition(page)}.ref()
	j.count(funnel.Reached, &ref, at, time.Time{})
}

// countLeft counts that the participant has left a page, once. Nobody knows when that
// was if the navigation went unseen.
func (j *Journey) countLeft(page *pageState, at time.Time, recovered bool) {
	j.countReached(page, at)
	if page.tally != countedReached || j.isPast {
		return
	}
	page.tally = countedLeft
	since := page.Loaded
	if recovered {
		since = time.Time{}
	}
	j.count(funnel.Left, &PageRef{ID: page.id}, at, since)
}

// countSilence counts a silence or its end, of the survey and of the page that the
// participant is on. It counts nothing where the app never showed that: anybody can
// make up participants and fall silent.
func (j *Journey) countSilence(what funnel.Counter, at time.Time) {
	page := j.page(j.Pointer)
	if page == nil || page.Position == 0 {
		return
	}
	if page.tally == uncounted {
		j.countReached(page, at)
		j.putPage(page)
	}
	j.count(what, nil, at, time.Time{})
	j.count(what, &PageRef{ID: page.id}, at, time.Time{})
}

// countEnd counts that the survey is over.
func (j *Journey) countEnd(o *Observation, recovered bool) {
	what, since := funnel.Completed, j.Started
	if o.Outcome == ScreenedOut {
		what = funnel.ScreenedOut
	}
	if recovered || what == funnel.ScreenedOut {
		since = time.Time{}
	}
	j.count(what, nil, o.At, since)
}
