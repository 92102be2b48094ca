package main

import (
	"fmt"
	"time"

	"github.com/tidwall/gjson"
)

// bars of section 9 of the design.
const (
	barDeliveries = 10_000
	barDrainBytes = 128 << 20
	barIdleBytes  = 20 << 20
)

// order checks that each participant's deliveries come in their order, each once.
type order struct {
	next            [participants]int64
	repeats, leaped int
}

func (o *order) take(body []byte, _ time.Time) {
	participant, place := gjson.GetBytes(body, "participant").Int(), gjson.GetBytes(body, "place").Int()
	switch next := &o.next[participant]; {
	case place == *next:
		*next++
	case place < *next:
		o.repeats++
	default:
		o.leaped++
	}
}

// drained is a backlog that was sent to the end.
type drained struct {
	n         int
	took, cpu time.Duration
	peak      int64
	samples   []sample
	wrong     string
}

// sample is how a drain was doing at a moment.
type sample struct {
	after     time.Duration
	delivered int
	rssAnon   int64
}

// deliver measures how fast a backlog reaches a local receiver.
func (b *bench) deliver() error {
	rows := [][]string{{"body", "deliveries", "deliveries/s", "MB/s", "CPU µs each", "peak RssAnon MB", "wrong"}}
	var rate float64
	for _, size := range []int{16 << 10, 1 << 10} {
		n := b.deliveries / max(1, size>>12)
		d, err := b.drainBacklog(b.state(fmt.Sprintf("deliver-%d", size)), n, size)
		if err != nil {
			return err
		}
		rate = perSecond(n, d.took)
		rows = append(rows, []string{
			fmt.Sprintf("%d KiB", size>>10), fmt.Sprint(n), fmt.Sprintf("%.0f", rate), fmt.Sprintf("%.1f", rate*float64(size)/1e6),
			micros(d.cpu, n), megabytes(d.peak), d.wrong,
		})
	}
	b.out.table(fmt.Sprintf("deliver: a backlog of %d participants, signed, acknowledged on disk, %d attempts at a time", participants, b.concurrency), rows)
	b.out.bar(rate >= barDeliveries, "1 KiB, %.0f/s ≥ %d/s", rate, barDeliveries)
	return nil
}

// drainBacklog queues n deliveries and lets a sidecar send them.
func (b *bench) drainBacklog(state string, n, size int) (d drained, err error) {
	if err := b.fill(state, n, size); err != nil {
		return d, err
	}
	check := &order{}
	target, err := newReceiver(check.take)
	if err != nil {
		return d, err
	}
	defer target.close()
	s, err := b.start(state, "http://127.0.0.1:9", map[string]string{"receiver": target.url})
	if err != nil {
		return d, err
	}
	d.n = n
	err = b.watchDrain(s, target, &d)
	if stopErr := s.stop(); err == nil {
		err = stopErr
	}
	received, unsigned := target.counts()
	d.wrong = fmt.Sprintf("%d lost, %d repeated, %d out of order, %d unsigned", n-(received-check.repeats), check.repeats, check.leaped, unsigned)
	return d, err
}

// watchDrain samples the process until nothing is pending.
func (b *bench) watchDrain(s *sidecar, target *receiver, d *drained) error {
	began := time.Now().Add(-s.starting)
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case <-tick.C:
		case <-b.ctx.Done():
			return b.ctx.Err()
		}
		received, _ := target.counts()
		rss := s.rssAnon()
		d.peak = max(d.peak, rss)
		d.samples = append(d.samples, sample{time.Since(began), received, rss})
		if received < d.n {
			continue
		}
		if pending, err := s.pending("receiver"); err != nil || pending == 0 {
			d.took, d.cpu = time.Since(target.first), s.cpu()
			return err
		}
	}
}
