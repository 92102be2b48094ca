package main

import (
	"fmt"
	"time"
)

// settleTime is how long a process that was just started is left alone.
const settleTime = 3 * time.Second

// idle measures the memory of a sidecar that has nothing to do.
func (b *bench) idle() error {
	s, err := b.start(b.state("idle"), "http://127.0.0.1:9", map[string]string{"receiver": "http://127.0.0.1:9/"})
	if err != nil {
		return err
	}
	b.sleep(settleTime)
	rss := s.rssAnon()
	b.out.table("idle: a sidecar that was started and left alone", [][]string{{"RssAnon MB"}, {megabytes(rss)}})
	b.out.bar(rss <= barIdleBytes, "RssAnon %s MB ≤ %d MB", megabytes(rss), barIdleBytes>>20)
	return s.stop()
}

// reopen measures how long a restart takes, from its start to the first participant served.
func (b *bench) reopen() error {
	rows := [][]string{{"queued", "ms to serve"}}
	for _, n := range []int{0, b.deliveries} {
		state := b.state(fmt.Sprintf("reopen-%d", n))
		if err := b.fill(state, n, 1<<10); err != nil {
			return err
		}
		var times []time.Duration
		for range b.rounds {
			// Nobody listens there, so that all stays queued.
			s, err := b.start(state, "http://127.0.0.1:9", map[string]string{"receiver": "http://127.0.0.1:9/"})
			if err != nil {
				return err
			}
			times = append(times, s.starting)
			if err := s.stop(); err != nil {
				return err
			}
		}
		rows = append(rows, []string{fmt.Sprint(n), millis(median(times))})
	}
	b.out.table(fmt.Sprintf("reopen: from the start of the process to participants served, with the state file open; median of %d", b.rounds), rows)
	return nil
}

func (b *bench) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-b.ctx.Done():
	}
}
