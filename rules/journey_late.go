package rules

import (
	"slices"
	"time"
)

// maxMoves is how many moves of a journey are remembered: more than anybody makes in the
// time in which a replica comes late, without growing the head of the journey much.
const maxMoves = 16

// What was told of a move. The numbers are stored.
const (
	// moveTold: an event was made of it.
	moveTold moveState = iota
	// moveLoaded: none was, since the page was loaded before the navigation to it was folded,
	// or the app told of it in the past.
	moveLoaded
	// moveFromUnknown: none was, since it is the first that is known of the participant: where
	// it led from, if from anywhere, is not known.
	moveFromUnknown
)

type moveState int

// move is a change of the pointer. Only journeys that several replicas observe remember
// theirs: one of these may keep an observation until later ones were folded.
type move struct {
	// Page is the page that it led to, empty at the end of the survey.
	Page string
	// At is the Order of the observation.
	At    time.Time
	State moveState
}

// isLate reports whether the participant has moved on after o.
func (j *Journey) isLate(o *Observation) bool {
	return !o.Order.IsZero() && len(j.Moves) > 0 && o.Order.Before(j.Moves[len(j.Moves)-1].At)
}

// hasMovedSince reports whether the participant has moved on at or after a time.
func (j *Journey) hasMovedSince(t time.Time) bool {
	return !t.IsZero() && len(j.Moves) > 0 && !j.Moves[len(j.Moves)-1].At.Before(t)
}

// foldLate folds what an observation says that came too late for its turn: the
// participant is where later ones have led. ok is false if it may be folded as usual.
func (j *Journey) foldLate(o *Observation) (ok bool) {
	switch o.Kind {
	case PageShown:
		j.learn(o)
		if o.Page != nil {
			j.beginEarlier(o)
		}
	case PageLoaded:
		j.beginEarlier(o)
		if page := j.page(o.PageID); page == nil || page.Loaded.IsZero() {
			j.loaded(o.PageID, o)
		}
	case Navigated, Reached:
		if o.Page == nil {
			return false
		}
		j.navigatedLate(o)
	default:
		return false
	}
	return true
}

// beginEarlier folds that the participant was on a page before the first move that is
// known. That is told now if it led from another page, and the one to that page becomes the
// first. ok is false if o is not from before.
func (j *Journey) beginEarlier(o *Observation) (ok bool) {
	first, from := &j.Moves[0], o.pageID()
	switch {
	case first.State != moveFromUnknown || !o.Order.Before(first.At):
		return false
	case from == first.Page:
		first.At = o.Order
		return true
	}
	first.State = moveTold
	j.tellMissed(from, &Observation{Kind: Navigated, Page: &Page{ID: first.Page}, At: first.At})
	j.Moves = slices.Insert(j.Moves, 0, move{Page: from, At: o.Order, State: moveFromUnknown})
	j.boundMoves()
	return true
}

// navigatedLate makes the event of a navigation, unless it was recovered meanwhile.
func (j *Journey) navigatedLate(o *Observation) {
	j.learn(o)
	if j.beginEarlier(o) {
		return
	}
	next := slices.IndexFunc(j.Moves, func(m move) bool { return !m.At.Before(o.Order) })
	isOfPast := func(m move) bool { return m.Page == o.Page.ID && m.State == moveLoaded && m.At.IsZero() }
	if i := slices.IndexFunc(j.Moves[:next], isOfPast); i >= 0 {
		next = i
	}
	from, isTold := "", j.Moves[next].Page == o.Page.ID && j.Moves[next].State == moveTold
	if next > 0 {
		from = j.Moves[next-1].Page
	}
	if isTold || from == o.Page.ID {
		return
	}
	j.tellMissed(from, o)
	if j.Moves[next].Page == o.Page.ID {
		j.Moves[next].State = moveTold
	} else {
		j.Moves = slices.Insert(j.Moves, next, move{Page: o.Page.ID, At: o.Order})
	}
	j.boundMoves()
}

// tellMissed makes the event of a navigation from a page, after which the participant is where
// they were before.
func (j *Journey) tellMissed(from string, o *Observation) {
	pointer, done := j.Pointer, j.Done
	j.Pointer = from
	j.navigate(o, true)
	j.Pointer, j.Done = pointer, done
}

// noteMove remembers that o has moved the pointer from a page, which is empty if it was
// not known.
func (j *Journey) noteMove(o *Observation, from string) {
	state := moveTold
	switch {
	case o.Kind == PageLoaded && len(j.Moves) > 0:
		state = moveLoaded
	case len(j.Moves) == 0 && from == "" && o.Kind != Reached:
		state = moveFromUnknown
	}
	j.Moves = append(j.Moves, move{Page: j.Pointer, At: o.Order, State: state})
	j.boundMoves()
}

// appendPastMove appends a navigation of a past to its moves, the first of which is where
// it begins.
func appendPastMove(moves []move, e PastEvent) []move {
	if len(moves) == 0 {
		moves = append(moves, move{Page: e.Source})
	}
	return append(moves, move{Page: e.Reached, State: moveLoaded})
}

// notePastMoves remembers the moves of a past, which ended before o: a replica that has
// seen them may come late, and no events were made of them. When they were is not known.
func (j *Journey) notePastMoves(moves []move, o *Observation) {
	if o.Order.IsZero() || j.Pointer == "" {
		return
	}
	if len(moves) == 0 {
		moves = []move{{State: moveFromUnknown}}
	}
	last := &moves[len(moves)-1]
	last.Page, last.At = j.Pointer, o.Order
	j.Moves = moves
	j.boundMoves()
}

func (j *Journey) boundMoves() { j.Moves = j.Moves[max(len(j.Moves)-maxMoves, 0):] }

func (j *Journey) encodeMoves(e *recordEncoder) {
	e.int(len(j.Moves))
	for _, m := range j.Moves {
		e.text(m.Page)
		e.time(m.At)
		e.uint(uint64(m.State))
	}
}

func (j *Journey) decodeMoves(d *recordDecoder) {
	for range min(d.int(), maxMoves) {
		j.Moves = append(j.Moves, move{Page: d.text(), At: d.time(), State: moveState(d.uint())})
	}
}
