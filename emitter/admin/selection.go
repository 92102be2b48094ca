package admin

import (
	"context"
	"net/url"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// changeStep is the number of deliveries that one request changes, in one commit.
const changeStep = 512

// BulkResult is the outcome of one step through the selected deliveries. The
// client repeats its request with After until that is empty.
type BulkResult struct {
	// Count is the number of deliveries changed, or that a dry run would change.
	Count int `json:"count"`
	// Pending is the number left alone because they will be sent anyway.
	Pending int `json:"pending"`
	// After is where the next step continues.
	After string `json:"after"`
}

// selection is the deliveries that a bulk operation applies to, one step at a time.
type selection struct {
	query outbox.Query
	// start is where this step begins.
	start  cursor
	dryRun bool
}

// step is the outcome of one step.
type step struct {
	BulkResult
	// due is when the next redelivery becomes due; nothing else has a pace.
	due time.Time
	// isCut reports that the step ended early: the pace would postpone the rest too far.
	isCut bool
}

// readSelection reads a selection. Without an id and a state it is the dead
// deliveries. It excludes deliveries that finished after the first step began,
// or those just redelivered would be selected again and again.
func readSelection(values url.Values, now time.Time) (selection, error) {
	if !narrows(values) {
		return selection{}, errSelection
	}
	query, err := readQuery(values, now)
	if err != nil {
		return selection{}, badRequest(err)
	}
	if query.ID == "" && query.States == nil {
		query.States = []outbox.State{outbox.Dead}
	}
	s := selection{query: query, start: cursor{began: now, due: now}, dryRun: values.Has("dry_run")}
	if query.After != "" {
		if err := s.start.UnmarshalText([]byte(query.After)); err != nil {
			return selection{}, badRequest(err)
		}
		if s.start.due.Before(now) {
			s.start.due = now
		}
	}
	s.query.Limit, s.query.Before, s.query.After = changeStep, s.start.began, s.start.position
	return s, nil
}

// runStep lists the deliveries of one step and applies change to them, unless
// allow returns an error for one of them. change has no transaction in a dry run;
// otherwise it may be called more than once, and its last outcome counts.
func (a *Admin) runStep(ctx context.Context, s selection, allow func(d *outbox.Delivery) error, change func(tx *outbox.Tx, found []*outbox.Delivery) step) (step, error) {
	found, rest, err := a.list(s.query)
	if err != nil {
		return step{}, err
	}
	for _, d := range found {
		if err := allow(d); err != nil {
			return step{}, err
		}
	}
	var done step
	switch {
	case s.dryRun:
		done = change(nil, found)
	case len(found) > 0:
		err = a.change(ctx, func(tx *outbox.Tx) { done = change(tx, found) })
	}
	if err != nil {
		return step{}, err
	}
	return s.finish(done, len(found), rest)
}

// finish sets where the next step continues, or returns why nothing was done.
func (s selection) finish(done step, found int, rest string) (step, error) {
	if done.isCut {
		rest = s.query.After // the next step reports it
	}
	if done.due.Before(s.start.due) { // an empty step keeps the pace
		done.due = s.start.due
	}
	if rest != "" || done.isCut {
		text, err := cursor{began: s.start.began, due: done.due, position: rest}.MarshalText()
		if err != nil {
			return step{}, err
		}
		done.After = string(text)
	}
	switch hasID := s.query.ID != ""; {
	case done.isCut && done.Count == 0:
		return step{}, errTooSlow
	case hasID && found == 0:
		return step{}, errNoDelivery
	case hasID && done.Count == 0:
		return step{}, errPending
	}
	return done, nil
}
