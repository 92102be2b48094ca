package record

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// seen is a sighting in a message of what the replicas saw.
type seen struct {
	sighting
	// from is the incarnation that saw it, as the k-th.
	from string
	k    uint64
	// number is that of the message.
	number      uint64
	participant string
	size        int
	// reached is the latest raw of what from has seen up to it.
	reached time.Time
	// raw is its Order as its replica told it, and at what it is folded with.
	raw, at time.Time
}

// sequence sorts sightings into the order in which they are folded. Those of a
// participant that one replica saw stay in the order in which it saw them, which knows
// best; between replicas, the time when the app had responded decides.
func sequence(sightings []*seen) []*seen {
	var participants []string
	queues := map[string][][]*seen{}
	for _, s := range sightings {
		of, isKnown := queues[s.participant]
		if !isKnown {
			participants = append(participants, s.participant)
		}
		i := slices.IndexFunc(of, func(queue []*seen) bool { return queue[0].from == s.from })
		if i < 0 {
			queues[s.participant] = append(of, []*seen{s})
		} else {
			of[i] = append(of[i], s)
		}
	}
	ordered := make([]*seen, 0, len(sightings))
	for _, participant := range participants {
		ordered = merge(ordered, queues[participant])
	}
	return ordered
}

// merge appends the sightings of a participant from the queues of several replicas.
func merge(ordered []*seen, queues [][]*seen) []*seen {
	for _, queue := range queues {
		slices.SortStableFunc(queue, func(a, b *seen) int { return cmp.Compare(a.k, b.k) })
	}
	for last := (time.Time{}); len(queues) > 0; {
		first := 0
		for i := range queues {
			if comesBefore(queues[i][0], queues[first][0]) {
				first = i
			}
		}
		next := queues[first][0]
		if next.at.Before(last) {
			next.at = last
		}
		last = next.at
		ordered = append(ordered, next)
		if queues[first] = queues[first][1:]; len(queues[first]) == 0 {
			queues = slices.Delete(queues, first, first+1)
		}
	}
	return ordered
}

// comesBefore reports whether a comes before b, which another replica saw. Of two
// navigations at the same instant, the one that led to the page with the lower number
// comes first.
func comesBefore(a, b *seen) bool {
	if a.isClick() && b.isClick() && a.at.Sub(b.at).Abs() < sameInstant && pageNumber(a) != pageNumber(b) {
		return pageNumber(a) < pageNumber(b)
	}
	return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.number, b.number), cmp.Compare(a.from, b.from)) < 0
}

func (s *seen) isClick() bool { return s.Observation != nil && s.Observation.Kind == rules.Navigated }

// pageNumber is the number of the page that a navigation led to; the end is last.
func pageNumber(s *seen) int {
	if s.Observation.Page == nil {
		return math.MaxInt
	}
	return s.Observation.Page.Number
}
