package rules

import "time"

// amidst is a page that the app has shown while a navigation was in flight. If that ends
// only after the participant has loaded the page, and perhaps gone on, it is known by it.
type amidst struct {
	// From is where the participant was, To the page.
	From, To string
	// At is when the app had shown it.
	At time.Time
}

// showAmidst notes a page, not that of the pointer, which may be that of a navigation in flight.
func (j *Journey) showAmidst(o *Observation) {
	if o.Page != nil {
		j.Amidst = amidst{From: j.Pointer, To: o.Page.ID, At: o.At}
	}
}

// explainsAmidst makes the event of a navigation that began before the app has shown its
// page, and ends after the participant was there. ok is false if it is none.
func (j *Journey) explainsAmidst(o *Observation) (ok bool) {
	shown := j.Amidst
	isIt := o.Page != nil && o.Page.ID == shown.To && !o.Began.IsZero() && !o.Began.After(shown.At)
	if !isIt || j.Pointer == shown.From && !j.Done {
		return false
	}
	j.learn(o)
	j.tellMissed(shown.From, o)
	for i := range j.Moves {
		if j.Moves[i].Page == shown.To && j.Moves[i].State == moveLoaded {
			j.Moves[i].State = moveTold
		}
	}
	return true
}
