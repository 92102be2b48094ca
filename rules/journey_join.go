package rules

// join folds the past and then the observations that wait, and returns the
// events of the observations that are ready to go. Without a past (nil) the
// journey is partial.
func (j *Journey) join(past *Past) []*Event {
	waiting := j.takeWaiting()
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
	j.isPast = true
	defer func() { j.isPast = false }()
	j.Study = past.Study // unless an observation names it
	var moves []move
	for _, e := range past.before(waiting) {
		if e.Kind != Answered {
			j.learn(&Observation{Page: past.page(e.Source)})
			j.Partial = j.Partial || past.Pages[e.Source] == nil
		}
		if e.Kind == Navigated {
			j.Pointer = e.Source
			moves = appendPastMove(moves, e)
		}
		j.fold(past.observation(e, waiting[0].Journey))
	}
	first := firstOnPage(waiting)
	if first != nil && first.Kind == PageShown {
		j.Pointer = pageID(first.Page) // the app knows better than its log
	}
	if first == nil {
		first = waiting[len(waiting)-1]
	}
	j.notePastMoves(moves, first)
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
