package emitter

import (
	"slices"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/recordings"
)

// This test has the fold alone, without a socket.
func TestFoldingARecordingGivesTheWebhooksOfDecsysItself(t *testing.T) {
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range recordings.Names() {
		t.Run(name, func(t *testing.T) {
			recording, err := recordings.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, event := range foldRecording(profile, recording.Exchanges) {
				if name == "script-filter-2-3" && event.From.Position != 2 && event.From.Position != 3 {
					continue
				}
				got = append(got, string(decsysBody("", event)))
			}
			for _, difference := range recording.Differences(profile, got) {
				t.Error(difference)
			}
		})
	}
}

// passing is an exchange of a recording and the ticket it goes by.
type passing struct {
	rules.Recorded
	match  rules.Match
	ticket uint64
}

// foldRecording folds a recording with the overlaps in time that it shows.
func foldRecording(profile *rules.Profile, recorded []rules.Recorded) []*rules.Event {
	var flights []passing
	for i, one := range rules.ByEnd(recorded) {
		if match, ok := profile.Match([]byte(one.Method), []byte(one.Target)); ok {
			flights = append(flights, passing{one, match, uint64(i + 1)})
		}
	}
	journeys := map[rules.Key]*rules.Journey{}
	var events []*rules.Event
	for i, f := range flights {
		o, ok, err := profile.Observe(f.match, f.Exchange)
		if err != nil || !ok {
			o = rules.Observation{Says: rules.Nothing, Journey: f.match.Journey()}
		}
		o.At, o.Ticket = f.End, f.ticket
		o.Alone = !slices.ContainsFunc(flights, f.overlaps)
		for _, other := range flights[i+1:] {
			if other.answersDuring(f) && other.match.Journey() == o.Journey {
				o.InFlight = append(o.InFlight, other.ticket)
			}
		}
		journey := journeys[o.Journey]
		if journey == nil {
			journey = &rules.Journey{}
			journeys[o.Journey] = journey
		}
		events = append(events, journey.Fold(&o)...)
	}
	return events
}

func (f passing) overlaps(other passing) bool {
	return other.ticket != f.ticket && other.match.Participant() == f.match.Participant() &&
		!other.Start.After(f.End) && !other.End.Before(f.Start)
}

// answersDuring tells whether f was an answer in flight when next ended, and
// ended soon enough to be waited for.
func (f passing) answersDuring(next passing) bool {
	return f.match.Says() == rules.AnsweredItem && f.Start.Before(next.End) && f.End.Sub(next.End) < 500*time.Millisecond
}
