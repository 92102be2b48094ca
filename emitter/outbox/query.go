package outbox

import (
	"slices"
	"time"
)

// maxScan bounds how many records one call of List, Owned or a step of
// JourneyKeys looks at.
const maxScan = 10_000

// Query selects deliveries. Zero fields select all.
type Query struct {
	// ID is a webhook-id. Several deliveries share one if it was redelivered to
	// other targets.
	ID           string
	Target, Rule string
	// Survey is the name of a survey instance, and Event that of an event.
	Survey, Event string
	// States are listed one after the other for each target: Waiting stands for all
	// that is pending, oldest first; Delivered and Dead are in the order in which the
	// deliveries finished.
	States []State
	// Since is the earliest time a delivery was created; Until is the end of that
	// range, exclusive.
	Since, Until time.Time
	// Before excludes deliveries that finished at that time or later.
	Before time.Time
	// NewestFirst reverses the order of finished deliveries.
	NewestFirst bool
	// After is where the last List ended, empty for the first.
	After string
	// Limit is the largest number of deliveries to return.
	Limit int
}

// List returns the selected deliveries without their bodies and failures, and
// where to continue, empty at the end. It may return fewer than Limit before the
// end. It returns ErrCursor if After does not come from a List.
func (s *Store) List(q Query) (found []*Delivery, rest string, err error) {
	err = s.view(func(v *view) error {
		if q.ID != "" {
			found = q.findID(v)
			return nil
		}
		found, rest, err = q.find(v)
		return err
	})
	return found, rest, err
}

// find goes through the query's sections from After on.
func (q Query) find(v *view) (found []*Delivery, rest string, err error) {
	from, err := parseCursor(q.After)
	if err != nil {
		return nil, "", err
	}
	sections, err := q.sections(v)
	if err != nil {
		return nil, "", err
	}
	if q.After != "" {
		first := slices.Index(sections, from.section)
		if first < 0 { // its target is gone
			return nil, "", nil
		}
		sections = sections[first:]
	}
	after, scanned := from.key, 0
	for _, section := range sections {
		for e := range section.entries(v, after, q.NewestFirst) {
			if e.isMember {
				if d, err := load(v, e.seq, false); err == nil && q.matches(d) {
					found = append(found, d)
				}
			}
			if scanned++; len(found) >= q.Limit || scanned >= maxScan {
				return found, cursor{section, e.key}.String(), nil
			}
		}
		after = nil
	}
	return found, "", nil
}

// findID finds the few deliveries that have the query's id.
func (q Query) findID(v *view) (found []*Delivery) {
	ids := []hash{hashOf(q.ID)}
	for name := range v.ascend(bucketTargets, nil, nil) {
		ids = append(ids, copyID(q.ID, string(name)))
	}
	for _, id := range ids {
		value := v.get(bucketIDs, id[:])
		if len(value) != 8 {
			continue
		}
		if d, err := load(v, lastUint64(value), false); err == nil && q.matchesState(d.State) && q.matches(d) {
			found = append(found, d)
		}
	}
	return found
}

// sections returns the sections that the query looks into, in order.
func (q Query) sections(v *view) (sections []section, err error) {
	states := q.States
	if len(states) == 0 {
		states = []State{Waiting, Dead, Delivered}
	}
	for name, record := range v.ascend(bucketTargets, nil, nil) {
		if q.Target != "" && q.Target != string(name) {
			continue
		}
		t, err := decodeTarget(record)
		if err != nil {
			return nil, err
		}
		for _, state := range states {
			sections = append(sections, section{target: t.number, state: state})
		}
	}
	return sections, nil
}

func (q Query) matchesState(state State) bool {
	if state == Behind {
		state = Waiting
	}
	return len(q.States) == 0 || slices.Contains(q.States, state)
}

// matches reports whether a delivery matches all of the query but its States.
func (q Query) matches(d *Delivery) bool {
	return (q.Target == "" || d.Target == q.Target) &&
		(q.Rule == "" || d.Rule == q.Rule) &&
		(q.Survey == "" || d.Survey == q.Survey) &&
		(q.Event == "" || d.Event == q.Event) &&
		(q.Since.IsZero() || !d.Created.Before(q.Since)) &&
		(q.Until.IsZero() || d.Created.Before(q.Until)) &&
		(q.Before.IsZero() || d.Finished.Before(q.Before))
}
