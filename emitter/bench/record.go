package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

const (
	// callers is how many participants navigate at a time.
	callers = 64

	barVersusBefore = 3.0
	barFlat         = 1.2
	barWritten      = 6.0 // KB
)

// size is the content of a store.
type size struct{ journeys, queued int }

// recorded is the measurement of one round.
type recorded struct {
	spent
	n     int
	took  time.Duration
	waits []time.Duration
}

// record measures navigations, each of which is recorded on disk with one
// delivery, in stores of different sizes.
func (b *bench) record() error {
	rows := [][]string{{"build", "open journeys", "queued", "navigations/s", "CPU µs each", "KB written each", "each per commit", "ms per commit", "p99 ms", "lost"}}
	rates := map[size]map[string][]float64{}
	var written float64
	sizes := []size{{0, 0}, {b.journeys, 0}, {0, b.queued}}
	for _, in := range sizes {
		all, err := b.recordIn(in)
		if err != nil {
			return err
		}
		rates[in] = map[string][]float64{}
		for _, of := range b.builds {
			m := medianRecorded(all[of.name])
			rows = append(rows, append([]string{of.name, fmt.Sprint(in.journeys), fmt.Sprint(in.queued)}, m.row()...))
			for _, one := range all[of.name] {
				rates[in][of.name] = append(rates[in][of.name], one.rate())
			}
		}
		if in == sizes[0] {
			written = medianRecorded(all[b.builds[0].name]).kilobytes()
		}
	}
	b.out.table(fmt.Sprintf("record: navigations recorded on disk with one delivery each, %d at a time; median of %d rounds of %d", callers, b.rounds, b.navigations), rows)
	b.out.versus("navigations/s", barVersusBefore, b.builds, rates[sizes[0]])
	b.out.bar(written <= barWritten, "%.1f KB written each ≤ %.0f KB", written, barWritten)
	for i, what := range []string{"with open journeys", "with a queue"} {
		this := b.builds[0].name
		is := median(ratios(rates[sizes[0]][this], rates[sizes[i+1]][this]))
		b.out.bar(is <= barFlat, "%s %.2f × slower ≤ %.1f ×", what, is, barFlat)
	}
	return nil
}

// recordIn measures each build in a store of a size, in turn.
func (b *bench) recordIn(in size) (all map[string][]recorded, err error) {
	all = map[string][]recorded{}
	states := map[string]string{}
	for _, of := range b.builds {
		filled, err := b.fill(of, in.journeys, in.queued, answerText)
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(filled.state)
		states[of.name] = filled.state
	}
	for range b.rounds {
		for _, of := range b.builds {
			one, err := b.recordRound(of, states[of.name])
			if err != nil {
				return nil, err
			}
			all[of.name] = append(all[of.name], one)
		}
	}
	return all, nil
}

func (b *bench) recordRound(of build, state string) (one recorded, err error) {
	people := make([]participant, b.navigations/pages)
	one.n = len(people) * pages
	l := newLedger()
	err = b.withQueueing(of, state, func(s *sidecar) error {
		c := newCrowd(s.participants, l)
		if err := inParallel(callers, len(people), func(i int) error { return c.begin(&people[i]) }); err != nil {
			return err
		}
		before, err := s.spent()
		if err != nil {
			return err
		}
		began := time.Now()
		if err := inParallel(callers, len(people), func(i int) error {
			for range pages {
				if err := c.navigate(&people[i]); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		one.took = time.Since(began)
		after, err := s.spent()
		one.spent, one.waits = after.since(before), l.waits
		return err
	})
	if err == nil && (one.events == 0 || one.commits == 0) {
		err = errors.New("no event was recorded")
	}
	return one, err
}

func (r recorded) rate() float64 { return perSecond(r.n, r.took) }

func (r recorded) kilobytes() float64 { return float64(r.written) / 1024 / float64(r.n) }

func (r recorded) row() []string {
	return []string{
		fmt.Sprintf("%.0f", r.rate()), micros(r.cpu, r.n), fmt.Sprintf("%.1f", r.kilobytes()),
		fmt.Sprintf("%.1f", float64(r.n)/r.commits), fmt.Sprintf("%.2f", r.commit/r.commits*1000),
		millis(percentile(r.waits, 99)), fmt.Sprintf("%.0f", float64(r.n)-r.events),
	}
}

// medianRecorded is the round with the median rate.
func medianRecorded(rounds []recorded) recorded {
	sorted := slices.SortedFunc(slices.Values(rounds), func(a, b recorded) int { return cmp.Compare(a.rate(), b.rate()) })
	return sorted[(len(sorted)-1)/2]
}
