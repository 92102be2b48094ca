package rules

import (
	"slices"
	"time"
)

// Past is what a participant did before they were first observed, as the app
// logged it.
type Past struct {
	// Pages are the definitions of the survey's pages as they are now, by id.
	Pages map[string]*Page
	// Study is the study that the survey is part of, as in Survey.Study.
	Study string
	// Events are in the order of their times.
	Events []PastEvent
}

// PastEvent is one event of an app's log.
type PastEvent struct {
	// Kind is PageLoaded, Answered or Navigated.
	Kind Kind
	At   time.Time
	// Source is the page that was loaded or left, or the item that was answered.
	Source string
	// Reached is the page that a navigation led to, empty if it completed the survey.
	Reached string
	// Answer is the answer, as the app stored it.
	Answer []byte
}

func (p *Past) add(e PastEvent, ok bool) {
	if ok {
		p.Events = append(p.Events, e)
	}
}

// observation returns the event as if it had been observed.
func (p *Past) observation(e PastEvent, key Key) *Observation {
	o := &Observation{Kind: e.Kind, Journey: key, At: e.At}
	switch {
	case e.Kind == Answered:
		o.Item, o.Answer = e.Source, e.Answer
	case e.Kind == PageLoaded:
		o.PageID = e.Source
	case e.Reached != "":
		o.Page = p.page(e.Reached)
	}
	return o
}

// page returns a page's definition, without content where the survey no longer has the page.
func (p *Past) page(id string) *Page {
	if page := p.Pages[id]; page != nil {
		return page
	}
	return &Page{ID: id}
}

// before returns the events that came before the observations. Where they end
// follows from the first observation that names a page:
//
//   - The page was shown, or loaded: the participant was on it. The past ends
//     where the app logged them leaving it.
//   - A navigation to the page: the past ends where the app logged that navigation.
//
// Apps log a refused navigation as one from a page to itself, and two clicks at
// once as the same navigation twice. TestJoin has an example of each case.
func (p *Past) before(waiting []*Observation) []PastEvent {
	events := p.withoutStrays()
	first := firstOnPage(waiting)
	if first == nil {
		return events
	}
	page := first.pageID()
	if first.Kind == Navigated {
		arrival := lastIndex(events, func(e PastEvent) bool { return e.reaches(page) })
		if arrival < 0 {
			return events
		}
		events, page = events[:arrival+1], events[arrival].Source
	}
	return untilLeft(events, page)
}

// untilLeft returns the events until the participant left the page that they
// were on last: those before the first navigation from it after its last sign.
func untilLeft(events []PastEvent, page string) []PastEvent {
	sign := lastIndex(events, func(e PastEvent) bool {
		return e.Kind == PageLoaded && e.Source == page || e.reaches(page)
	})
	left := slices.IndexFunc(events[sign+1:], func(e PastEvent) bool { return e.Kind == Navigated && e.Source == page })
	if left < 0 {
		return events
	}
	return events[:sign+1+left]
}

// withoutStrays returns the events without navigations from no page of the
// survey: Decsys logs one when it refuses to navigate a participant who has
// completed it (its Controllers/ParticipantProgressController.cs).
func (p *Past) withoutStrays() []PastEvent {
	loaded := map[string]bool{}
	for _, e := range p.Events {
		loaded[e.Source] = loaded[e.Source] || e.Kind == PageLoaded
	}
	return slices.DeleteFunc(slices.Clone(p.Events), func(e PastEvent) bool {
		return e.Kind == Navigated && p.Pages[e.Source] == nil && !loaded[e.Source]
	})
}

// reaches reports whether e is a navigation to the page, "" for the end.
func (e PastEvent) reaches(page string) bool { return e.Kind == Navigated && e.Reached == page }

func lastIndex(events []PastEvent, is func(PastEvent) bool) int {
	for i, e := range slices.Backward(events) {
		if is(e) {
			return i
		}
	}
	return -1
}
