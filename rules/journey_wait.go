package rules

import (
	"encoding/json"
	"time"
)

// A participant who is first seen in the middle of a survey has a past that only
// the app knows. Reading it takes a while, and meanwhile the participant goes on:
// so the journey's observations wait until the past has been read, and the past
// may by then contain what they observed. Fold.Join folds first the part of the past
// that came before the first observation, then the observations.

// waits are the observations that wait for a past, parts of the journey.
type waits struct {
	Count, Bytes int
	// Last is the time of the newest one.
	Last time.Time
	// Orphans is how many an earlier process observed: the exchanges that were in
	// flight with them never end.
	Orphans int
	// HasNavigation reports whether an event may come of them.
	HasNavigation bool
}

// mayHavePast reports whether the participant may have done something before o,
// so that o should wait: o is the journey's first observation, and the app has
// not just created the participant.
func (j *Journey) mayHavePast(o *Observation) bool {
	if j.state() != unknown || o.Begins {
		return false
	}
	return o.Kind != Nothing && (o.Kind != PageShown || o.Page != nil)
}

// wait keeps an observation until join. It returns false if no more may wait after it.
func (j *Journey) wait(o *Observation) bool {
	if o.Survey != "" {
		j.Survey = o.Survey
	}
	j.bound(o)
	o.InFlight = o.InFlight[:min(len(o.InFlight), maxTickets)]
	o.InFlightItems = o.InFlightItems[:min(len(o.InFlightItems), maxTickets)]
	encoded, err := json.Marshal(o)
	if err != nil { // a year past 9999
		j.Partial = true
		return true
	}
	j.store.PutPart(j.key, numbered(partWaiting, j.Waits.Count), encoded)
	j.Waits.Count++
	j.Waits.Bytes += len(encoded) + recordOverhead
	j.Waits.Last = o.At
	return j.Waits.Count < maxWaiting && j.hasRoomFor(0)
}

// waiting returns the observation that waits with this number, nil if it is damaged.
func (j *Journey) waiting(n int) *Observation {
	o := &Observation{}
	if json.Unmarshal(j.store.Part(j.key, numbered(partWaiting, n)), o) != nil {
		j.Partial = true
		return nil
	}
	if n < j.Waits.Orphans {
		o.InFlight, o.InFlightItems = nil, nil
	}
	return o
}

// takeWaiting removes the observations that wait and returns them, oldest first.
func (j *Journey) takeWaiting() (waiting []*Observation) {
	for n := range j.Waits.Count {
		if o := j.waiting(n); o != nil {
			waiting = append(waiting, o)
		}
		j.store.PutPart(j.key, numbered(partWaiting, n), nil)
	}
	j.Waits, j.Asked = waits{}, time.Time{}
	return waiting
}

func (j *Journey) pastRequest() *PastRequest {
	request := &PastRequest{Journey: j.key, Survey: j.Survey, IsUrgent: j.Waits.HasNavigation}
	if first := j.waiting(0); first != nil {
		request.Host = first.Host
	}
	return request
}
