package rules

import "time"

// A participant who is first seen in the middle of a survey has a past that only
// the app knows. Reading it takes a while, and meanwhile the participant goes on:
// so the journey's observations wait until the past has been read, and the past
// may by then contain what they observed. Fold.Join folds first the part of the past
// that came before the first observation, then the observations.

// maxWaiting is how many observations of a journey may wait for its past.
const maxWaiting = 200

// mayHavePast reports whether the participant may have done something before o,
// so that o should wait: o is the journey's first observation, and the app has
// not just created the participant.
func (j *Journey) mayHavePast(o *Observation) bool {
	if j.state() != unknown || o.Begins {
		return false
	}
	return o.Kind != Nothing && (o.Kind != PageShown || o.Page != nil)
}

// wait keeps an observation until join. It returns false when no more may wait,
// so that the journey has to be joined without its past.
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

// join folds the past and then the observations that wait, and returns the
// events of the observations that are ready to go. Without a past (nil) the
// journey is partial.
func (j *Journey) join(past *Past) []*Event {
	waiting := j.Waiting
	j.Waiting, j.Asked = nil, time.Time{}
	switch {
	case len(waiting) == 0:
	case past == nil:
		j.Partial = true
	default:
		j.foldPast(past, waiting)
	}
	var events []*Event
	for _, o := range waiting {
		events = append(events, j.fold(o)...)
	}
	return events
}

// foldPast folds what came before the observations. It makes no events: they
// would come long after the fact, and may have been sent by an earlier process.
func (j *Journey) foldPast(past *Past, waiting []*Observation) {
	j.Study = past.Study // unless an observation names it
	for _, e := range past.before(waiting) {
		if e.Kind != Answered {
			j.learn(&Observation{Page: past.page(e.Source)})
			j.Partial = j.Partial || past.Pages[e.Source] == nil
		}
		if e.Kind == Navigated {
			j.Pointer = e.Source
		}
		j.fold(past.observation(e, waiting[0].Journey))
	}
	if o := firstOnPage(waiting); o != nil && o.Kind == PageShown {
		j.Pointer = pageID(o.Page) // the app knows better than its log
	}
	j.Unsettled = nil
}

// firstOnPage returns the first observation that names the page that the
// participant is on, nil without one.
func firstOnPage(waiting []*Observation) *Observation {
	for _, o := range waiting {
		if o.Kind != Answered && o.Kind != Nothing {
			return o
		}
	}
	return nil
}

// pageID returns the page that the participant is on after o, "" at the end.
func (o *Observation) pageID() string {
	if o.Kind == PageLoaded {
		return o.PageID
	}
	return pageID(o.Page)
}
