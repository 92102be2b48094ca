package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// A flooding participant gives floodAnswers answers of floodAnswerSize bytes,
	// then reports the same page as loaded over floodConns connections.
	floodAnswers    = 5
	floodAnswerSize = 800 << 10
	floodConns      = 64

	barFloodRate  = 0.9
	barFloodDelay = 2.0
)

// flooded is what the other participants experienced.
type flooded struct {
	rate float64 // events recorded per second
	p99  time.Duration
	// unrecorded counts navigations acknowledged but not recorded at the end.
	unrecorded int
}

// flood measures navigations alone, then beside a participant who holds 4 MB
// of answers and floods.
func (b *bench) flood() error {
	rows := [][]string{{"build", "beside", "events/s", "p99 ms", "not recorded"}}
	var rates []float64
	var delays []float64
	for _, of := range b.builds {
		var alone, beside []flooded
		for range b.rounds {
			one, err := b.floodRound(of, false)
			if err != nil {
				return err
			}
			other, err := b.floodRound(of, true)
			if err != nil {
				return err
			}
			alone, beside = append(alone, one), append(beside, other)
		}
		rows = append(rows, medianFlooded(alone).row(of.name, "nobody"), medianFlooded(beside).row(of.name, "a flooding participant"))
		if of == b.builds[0] {
			for i := range alone {
				rates = append(rates, beside[i].rate/alone[i].rate)
				delays = append(delays, float64(beside[i].p99)/float64(alone[i].p99))
			}
		}
	}
	b.out.table(fmt.Sprintf("flood: %d participants at a time, beside one who holds 4 MB of answers; median of %d rounds of %v", callers, b.rounds, b.duration), rows)
	b.out.bar(median(rates) >= barFloodRate, "events/s %.2f × alone ≥ %.1f ×", median(rates), barFloodRate)
	b.out.bar(median(delays) <= barFloodDelay, "p99 of a response %.2f × alone ≤ %.1f ×", median(delays), barFloodDelay)
	return nil
}

func (b *bench) floodRound(of build, isFlooded bool) (f flooded, err error) {
	state := b.state()
	defer os.RemoveAll(state)
	l := newLedger()
	err = b.withQueueing(of, state, func(s *sidecar) error {
		ctx, cancel := context.WithCancel(b.ctx)
		var flooding sync.WaitGroup
		defer flooding.Wait()
		defer cancel()
		if isFlooded {
			c := newCrowd(s.participants, newLedger())
			p, err := c.hoard()
			if err != nil {
				return err
			}
			for range floodConns {
				flooding.Go(func() { c.loadAgain(ctx, p) })
			}
		}
		before, err := s.spent()
		if err != nil {
			return err
		}
		began := time.Now()
		if err := newCrowd(s.participants, l).rush(b.ctx, callers, b.duration); err != nil {
			return err
		}
		after, err := s.spent()
		used := after.since(before)
		if !isFlooded && used.events == 0 {
			return errors.New("no event was recorded")
		}
		f = flooded{used.events / time.Since(began).Seconds(), percentile(l.waits, 99), max(0, l.acknowledged-int(used.events))}
		return err
	})
	return f, err
}

// hoard begins a participant who gives large answers.
func (c *crowd) hoard() (*participant, error) {
	p := &participant{}
	if err := c.begin(p); err != nil {
		return nil, err
	}
	for i := range floodAnswers {
		body := fmt.Appendf(nil, `{"value":%q}`, strings.Repeat("x", floodAnswerSize))
		if err := c.post(logPath(p.id, itemID(i), componentResults), body); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// loadAgain loads a page until ctx ends, whatever the responses are.
func (c *crowd) loadAgain(ctx context.Context, p *participant) {
	for ctx.Err() == nil {
		_ = c.post(logPath(p.id, pageID(0), pageLoad), []byte("{}"))
	}
}

func medianFlooded(rounds []flooded) (m flooded) {
	var rates []float64
	var p99s []time.Duration
	for _, one := range rounds {
		rates, p99s = append(rates, one.rate), append(p99s, one.p99)
		m.unrecorded += one.unrecorded
	}
	m.rate, m.p99 = median(rates), median(p99s)
	return m
}

func (f flooded) row(build, beside string) []string {
	return []string{build, beside, fmt.Sprintf("%.0f", f.rate), millis(f.p99), fmt.Sprint(f.unrecorded)}
}
