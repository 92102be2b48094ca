package rules

import (
	"slices"
	"time"
)

// maxMoves is how many moves of a journey are remembered.
const maxMoves = 4

// move is a change of the pointer. Only journeys that several replicas observe remember
// theirs: one of these may keep an observation until later ones were folded.
type move struct {
	// Page is the page that it led to, empty at the end of the survey.
	Page string
	// At is the Order of the observation.
	At time.Time
	// IsUntold reports whether no event was made of it: the page was loaded before the
	// navigation to it was folded.
	IsUntold bool
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
	case PageLoaded:
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

// navigatedLate makes the event of a navigation, unless it was recovered meanwhile.
func (j *Journey) navigatedLate(o *Observation) {
	next := slices.IndexFunc(j.Moves, func(m move) bool { return !m.At.Before(o.Order) })
	from, isTold := "", j.Moves[next].Page == o.Page.ID && !j.Moves[next].IsUntold
	if next > 0 {
		from = j.Moves[next-1].Page
	}
	if isTold || from == o.Page.ID {
		return
	}
	j.learn(o)
	pointer, done := j.Pointer, j.Done
	j.Pointer = from
	j.navigate(o, true)
	j.Pointer, j.Done = pointer, done
	if j.Moves[next].Page == o.Page.ID {
		j.Moves[next].IsUntold = false
	} else {
		j.Moves = slices.Insert(j.Moves, next, move{Page: o.Page.ID, At: o.Order})
	}
	j.boundMoves()
}

// noteMove remembers that o has moved the pointer.
func (j *Journey) noteMove(o *Observation) {
	isUntold := o.Kind == PageLoaded && len(j.Moves) > 0
	j.Moves = append(j.Moves, move{Page: j.Pointer, At: o.Order, IsUntold: isUntold})
	j.boundMoves()
}

func (j *Journey) boundMoves() { j.Moves = j.Moves[max(len(j.Moves)-maxMoves, 0):] }

func (j *Journey) encodeMoves(e *recordEncoder) {
	e.int(len(j.Moves))
	for _, m := range j.Moves {
		e.text(m.Page)
		e.time(m.At)
		e.bool(m.IsUntold)
	}
}

func (j *Journey) decodeMoves(d *recordDecoder) {
	for range min(d.int(), maxMoves) {
		j.Moves = append(j.Moves, move{Page: d.text(), At: d.time(), IsUntold: d.bool()})
	}
}
