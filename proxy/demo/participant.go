package demo

import (
	"encoding/json"
	"slices"
)

// participant is the events of one participant, oldest first.
type participant []event

// last returns the index of the last event of a type and, unless it is empty, a
// source; -1 if there is none.
func (p participant) last(source, kind string) int {
	for i, e := range slices.Backward(p) {
		if e.Type == kind && (source == "" || e.Source == source) {
			return i
		}
	}
	return -1
}

// order returns the page ids in the participant's order; nil before the start.
func (p participant) order() []string {
	i := p.last("", pageRandomize)
	if i < 0 {
		return nil
	}
	var payload struct{ Order []string }
	_ = json.Unmarshal(p[i].Payload, &payload) // other payloads have no order
	return payload.Order
}

// pointer returns the id of the current page: that of the last page load or the
// target of the last navigation, whichever is later.
func (p participant) pointer() string {
	for _, e := range slices.Backward(p) {
		if e.Type == pageLoad {
			return e.Source
		}
		var n navigation
		if e.Type == pageNavigation && json.Unmarshal(e.Payload, &n) == nil && n.TargetPageID != nil {
			return *n.TargetPageID
		}
	}
	if order := p.order(); len(order) > 0 {
		return order[0]
	}
	return ""
}

// completed reports whether the participant has finished the survey.
func (p participant) completed() bool {
	return p.last("", surveyComplete) >= 0
}
