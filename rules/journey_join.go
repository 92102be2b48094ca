package rules

import (
	"slices"
	"time"
)

// maxWaiting is how many observations of a journey wait for its past, at most.
const maxWaiting = 200

// mayHavePast reports whether the participant may have done something before o,
// the journey's first observation.
func (j *Journey) mayHavePast(o *Observation) bool {
	if j.state() != unknown || o.Begins {
		return false
	}
	return o.Says != Nothing && (o.Says != PageShown || o.Page != nil)
}

// wait keeps an observation until join. It returns false when no more may wait.
func (j *Journey) wait(o *Observation) bool {
	if o.Survey != "" {
		j.Survey = o.Survey
	}
	j.Waiting = append(j.Waiting, o)
	return len(j.Waiting) < maxWaiting
}

// lastWaiting is the newest observation that waits; there must be one.
func (j *Journey) lastWaiting() *Observation { return j.Waiting[len(j.Waiting)-1] }

func (j *Journey) pastRequest() *PastRequest {
	first := j.Waiting[0]
	return &PastRequest{Journey: first.Journey, Survey: j.Survey, Host: first.Host}
}

// join puts what was before under the observations that wait, and returns the
// events of those that are ready to go. Without a past the journey is partial.
func (j *Journey) join(past *Past) []*Event {
	waiting := j.Waiting
	j.Waiting, j.Asked = nil, time.Time{}
	if len(waiting) > 0 {
		j.remember(past, waiting)
	}
	var events []*Event
	for _, o := range waiting {
		events = append(events, j.fold(o)...)
	}
	return events
}

// remember folds the past up to the first observation. What else it tells of
// happened under our eyes, and is among those that wait. No events come of the
// past: whoever was there then has been told.
func (j *Journey) remember(past *Past, waiting []*Observation) {
	if past == nil {
		j.Partial = true
		return
	}
	key := waiting[0].Journey
	j.Study = past.Study // unless the participant names it
	for _, e := range past.before(waiting) {
		if e.Says == AnsweredItem {
			j.fold(&Observation{Says: AnsweredItem, Journey: key, Item: e.Source, Answer: e.Answer, At: e.At})
			continue
		}
		page := past.page(e.Source)
		j.Partial = j.Partial || past.Pages[e.Source] == nil
		j.fold(&Observation{Says: PageShown, Journey: key, Page: page, At: e.At})
		if e.Says == PageLoaded {
			j.fold(&Observation{Says: PageLoaded, Journey: key, PageID: e.Source, At: e.At})
			continue
		}
		j.Pointer = e.Source
		reached := (*Page)(nil)
		if e.Reached != "" {
			reached = past.page(e.Reached)
		}
		j.fold(&Observation{Says: Navigated, Journey: key, Page: reached, At: e.At})
	}
	if o := firstPage(waiting); o != nil && o.Says == PageShown {
		j.Pointer = pageID(o.Page) // the app itself says so
	}
	j.Unsettled = nil
}

// page gives a page's definition, which may be gone from the survey by now.
func (p *Past) page(id string) *Page {
	if page := p.Pages[id]; page != nil {
		return page
	}
	return &Page{ID: id}
}

// before gives the events that came before the observations, which is told by
// the first of them that names a page: by the time the past was read, more may
// have happened.
func (p *Past) before(waiting []*Observation) []PastEvent {
	events := slices.DeleteFunc(slices.Clone(p.Events), p.isOfNoPage)
	o := firstPage(waiting)
	if o == nil {
		return events
	}
	if o.Says == Navigated {
		last := lastIndex(events, func(e PastEvent) bool { return e.Says == Navigated && e.Reached == pageID(o.Page) })
		switch {
		case last < 0:
			return events
		case events[last].Source != events[last].Reached:
			return events[:last]
		}
	}
	// The participant was on this page: what follows is the first navigation after
	// the last sign of it.
	on := o.PageID
	if o.Page != nil {
		on = o.Page.ID
	}
	sign := lastIndex(events, func(e PastEvent) bool {
		return e.Says == PageLoaded && e.Source == on || e.Says == Navigated && e.Reached == on
	})
	next := slices.IndexFunc(events[sign+1:], func(e PastEvent) bool { return e.Says == Navigated })
	if next < 0 {
		return events
	}
	return events[:sign+1+next]
}

// firstPage is the first observation that tells where the participant was; nil without one.
func firstPage(waiting []*Observation) *Observation {
	for _, o := range waiting {
		if o.Says != AnsweredItem && o.Says != Nothing {
			return o
		}
	}
	return nil
}

// isOfNoPage tells a navigation that the app refused because there was no page to
// leave: it has one written down all the same.
func (p *Past) isOfNoPage(e PastEvent) bool {
	if e.Says != Navigated || p.Pages[e.Source] != nil {
		return false
	}
	return !slices.ContainsFunc(p.Events, func(other PastEvent) bool {
		return other.Says == PageLoaded && other.Source == e.Source
	})
}

func lastIndex(events []PastEvent, is func(PastEvent) bool) int {
	for i := len(events) - 1; i >= 0; i-- {
		if is(events[i]) {
			return i
		}
	}
	return -1
}
