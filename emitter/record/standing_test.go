package record

import (
	"slices"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// sightings returns messages with one sighting each, of "replica k participant".
func sightings(list ...seen) (messages []*seenMessage) {
	for i, s := range list {
		s.number = uint64(i + 1)
		messages = append(messages, &seenMessage{number: s.number, from: s.from, seen: []*seen{&s}})
	}
	return messages
}

func TestABatchHasWhatHadEndedWhenTheReplicasWereAsked(t *testing.T) {
	list := sightings(
		seen{from: "a", k: 1, participant: "p"}, seen{from: "b", k: 1, participant: "q"}, seen{from: "b", k: 2, participant: "p"},
		seen{from: "a", k: 2, participant: "q"}, seen{from: "b", k: 3, participant: "p"}, seen{from: "gone", k: 9, participant: "p"},
	)
	f := func(what string, want int, queues ...knownQueue) {
		t.Helper()
		b := &batch{folding: &folding{list: list}, count: 1, known: map[string]*standing{"p": {queues: queues}}}
		if b.extend(); b.count != want {
			t.Errorf("%s: it has %d messages, want %d", what, b.count, want)
		}
	}
	a, gone := knownQueue{Incarnation: "a", Acked: 2}, knownQueue{Incarnation: "gone"}
	f("nothing else", 1, a, gone, knownQueue{Incarnation: "b", Acked: 1})
	f("acknowledged", 3, a, gone, knownQueue{Incarnation: "b", Acked: 2})
	f("on its way", 3, a, gone, knownQueue{Incarnation: "b", Pending: 2})
	f("everything", 5, a, gone, knownQueue{Incarnation: "b", Acked: 3})
	f("what a replica saw that is gone", 6, a, knownQueue{Incarnation: "b"})
}

func TestAnEventWaitsForAnAnswerThatIsLeftToTheNextBatch(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	journey := rules.Key{Instance: "3", Participant: "p"}
	of := func(o rules.Observation, from string, began time.Time) seen {
		o.Journey = journey
		return seen{from: from, k: 1, participant: "p", raw: at, sighting: sighting{Began: began, Observation: &o}}
	}
	f := func(began time.Time, isCut bool, want ...uint64) {
		t.Helper()
		b := &batch{folding: &folding{Recorder: &Recorder{}, clocks: clocks{}}, count: 1, known: map[string]*standing{"p": {isCut: isCut}}}
		b.list = sightings(of(rules.Observation{Kind: rules.Navigated, Ticket: 1}, "a", at), of(rules.Observation{Kind: rules.Answered, Ticket: 2}, "b", began))
		if got := b.ordered()[0].Observation.InFlight; !slices.Equal(got, want) {
			t.Errorf("an answer that began %s after the move, cut %t: it waits for %d, want %d", began.Sub(at), isCut, got, want)
		}
	}
	f(at.Add(-time.Millisecond), true, 2)
	f(at.Add(time.Millisecond), true)
	f(at.Add(-time.Millisecond), false) // whoever was not cut has everything in the batch
}

func TestReplicasAreAskedAgainWhoseClockIsKnownTooBadlyForAPageShown(t *testing.T) {
	f := func(kind rules.Kind, unsure time.Duration, rounds int, want ...string) {
		t.Helper()
		s := seen{from: "a", k: 1, participant: "p", sighting: sighting{Observation: &rules.Observation{Kind: kind, Alone: true}}}
		known := &standing{rounds: rounds, views: []view{{unsure: unsure}}}
		b := &batch{folding: &folding{list: sightings(s)}, count: 1, known: map[string]*standing{"p": known}}
		if got := b.unmeasured(); !slices.Equal(got, want) {
			t.Errorf("kind %v, unsure by %s, asked %d times: it asks about %q, want %q", kind, unsure, rounds, got, want)
		}
	}
	f(rules.PageShown, 50*time.Millisecond, 1, "p")
	f(rules.PageShown, time.Millisecond, 1)
	f(rules.PageShown, 50*time.Millisecond, maxMeasures)
	f(rules.Answered, 50*time.Millisecond, 1)
}
