package trial

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// heard is the last exchange of a journey: when it ended, and its place in the report.
type heard struct {
	at       time.Time
	exchange int
}

// silencesUntil reports the silences that were due by then, with the exchange that each
// began with. Where a recorder looks once a minute, a trial knows the moment.
func (t *trial) silencesUntil(then time.Time) {
	byTime := func(a, b rules.Key) int {
		return cmp.Or(t.heard[a].at.Compare(t.heard[b].at), cmp.Compare(a.Text(), b.Text()))
	}
	for _, key := range slices.SortedFunc(maps.Keys(t.heard), byTime) {
		last := t.heard[key]
		due := t.afterFlights(key, last.at.Add(time.Duration(t.Config.AbandonedAfter)))
		if due.After(then) {
			continue
		}
		step := t.fold.Silence(key, last.at, due)
		t.report(key, step.Events, &t.Exchanges[last.exchange])
	}
}

// afterFlights returns when no exchange of the participant is in flight, from a time on.
func (t *trial) afterFlights(key rules.Key, from time.Time) time.Time {
	for _, f := range t.matched { // in the order in which they ended
		if f.match.Participant() == key.Participant && !f.Start.After(from) && f.End.After(from) {
			from = f.End
		}
	}
	return from
}
