package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	// stuck is the time without a webhook after which a drain fails.
	stuck = 30 * time.Second
	// drainRows is how many moments of a drain are printed.
	drainRows = 10

	// barDeliveries is the ratio of 30,000/s to the 18,500/s of an earlier build.
	barDeliveries = 30_000.0 / 18_500
	barDrainBytes = 128 << 20
)

// drained is the measurement of a backlog being delivered.
type drained struct {
	n, bytes  int
	took, cpu time.Duration
	peak      int64
	samples   []sample
	wrong     string
}

// sample is a moment of a drain.
type sample struct {
	after     time.Duration
	delivered int
	rssAnon   int64
}

// deliver measures how fast a backlog reaches a local receiver.
func (b *bench) deliver() error {
	rows := [][]string{{"build", "mean body KB", "deliveries", "deliveries/s", "MB/s", "CPU µs each", "peak RssAnon MB", "wrong"}}
	rates := map[string][]float64{}
	for _, answer := range []string{strings.Repeat(answerText, 28), answerText} {
		n := max(100, b.deliveries*2*len(answerText)/(len(answerText)+len(answer)))
		all, err := b.deliverInTurn(n, answer)
		if err != nil {
			return err
		}
		for _, of := range b.builds {
			rates[of.name] = nil // of the last body, which is the small one
			for _, d := range all[of.name] {
				rates[of.name] = append(rates[of.name], d.rate())
			}
			d := medianDrained(all[of.name])
			rows = append(rows, []string{
				of.name, fmt.Sprintf("%.1f", float64(d.bytes)/1024/float64(n)), fmt.Sprint(n), fmt.Sprintf("%.0f", d.rate()),
				fmt.Sprintf("%.1f", float64(d.bytes)/1e6/d.took.Seconds()), micros(d.cpu, n), megabytes(d.peak), d.wrong,
			})
		}
	}
	b.out.table(fmt.Sprintf("deliver: a backlog of up to %d participants, signed, acknowledged on disk, %d attempts at a time; median of %d rounds", backlogged, b.concurrency, b.rounds), rows)
	b.out.versus("deliveries/s", barDeliveries, b.builds, rates)
	return nil
}

// deliverInTurn drains a backlog of each build once a round.
func (b *bench) deliverInTurn(n int, answer string) (all map[string][]drained, err error) {
	all = map[string][]drained{}
	backlogs := map[string]*backlog{}
	for _, of := range b.builds {
		filled, err := b.fill(of, 0, n, answer)
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(filled.state)
		backlogs[of.name] = filled
	}
	for range b.rounds {
		for _, of := range b.builds {
			d, err := b.drainBacklog(of, backlogs[of.name])
			if err != nil {
				return nil, err
			}
			all[of.name] = append(all[of.name], d)
		}
	}
	return all, nil
}

// drain measures memory and speed over the delivery of a large backlog.
func (b *bench) drain() error {
	for i, of := range b.builds {
		filled, err := b.fill(of, 0, b.queued, answerText)
		if err != nil {
			return err
		}
		d, err := b.drainBacklog(of, filled)
		if err != nil {
			return err
		}
		os.RemoveAll(filled.state)
		b.out.table(fmt.Sprintf("drain: %d queued deliveries of 1 KiB, %s (%s)", b.queued, of.name, d.wrong), d.rows())
		if i == 0 {
			b.out.bar(d.peak <= barDrainBytes, "peak RssAnon %s MB ≤ %d MB", megabytes(d.peak), barDrainBytes>>20)
		}
	}
	return nil
}

// drainBacklog lets a sidecar deliver a copy of a backlog.
func (b *bench) drainBacklog(of build, filled *backlog) (d drained, err error) {
	state := b.state()
	if err := os.CopyFS(state, os.DirFS(filled.state)); err != nil {
		return d, fmt.Errorf("cannot copy a state folder: %w", err)
	}
	defer os.RemoveAll(state)
	filled.ledger.forgetArrivals()
	target, err := newReceiver(filled.ledger)
	if err != nil {
		return d, err
	}
	defer target.Close()
	s, err := b.start(of, setting{state: state, app: nowhere, targets: map[string]string{"receiver": target.URL()}})
	if err != nil {
		return d, err
	}
	d.n = filled.n
	if err := b.watch(s, filled.ledger, &d); err != nil {
		s.kill()
		return d, err
	}
	d.bytes, d.wrong = filled.ledger.bytes, filled.ledger.wrong()
	return d, s.stop()
}

// watch samples the process until no delivery is pending.
func (b *bench) watch(s *sidecar, l *ledger, d *drained) error {
	began := time.Now().Add(-s.starting)
	last := time.Now()
	for {
		received, rss := l.received(), s.RssAnon()
		if len(d.samples) == 0 || received > d.samples[len(d.samples)-1].delivered {
			last = time.Now()
		}
		d.peak = max(d.peak, rss)
		d.samples = append(d.samples, sample{time.Since(began), received, rss})
		if received >= d.n {
			if on, err := s.counts(); err != nil || on.Pending == 0 {
				d.took, d.cpu = time.Since(l.first), s.CPU()
				return err
			}
		}
		if time.Since(last) > stuck {
			return fmt.Errorf("%d of %d deliveries arrived, and no more for %v", received, d.n, stuck)
		}
		b.sleep(50 * time.Millisecond)
		if b.ctx.Err() != nil {
			return b.ctx.Err()
		}
	}
}

func (d drained) rate() float64 { return perSecond(d.n, d.took) }

// medianDrained is the round with the median rate.
func medianDrained(rounds []drained) drained {
	sorted := slices.SortedFunc(slices.Values(rounds), func(a, b drained) int { return cmp.Compare(a.rate(), b.rate()) })
	return sorted[(len(sorted)-1)/2]
}

// rows are samples at even distances.
func (d drained) rows() [][]string {
	rows := [][]string{{"after s", "delivered", "deliveries/s", "RssAnon MB"}}
	before := sample{}
	count := min(drainRows, len(d.samples))
	for i := 1; i <= count; i++ {
		now := d.samples[len(d.samples)*i/count-1]
		rows = append(rows, []string{
			fmt.Sprintf("%.1f", now.after.Seconds()), fmt.Sprint(now.delivered),
			fmt.Sprintf("%.0f", perSecond(now.delivered-before.delivered, now.after-before.after)), megabytes(now.rssAnon),
		})
		before = now
	}
	return rows
}
