package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// outageOf is what the servers are away from.
var outageOf = formation{replicas: 3, servers: 3}

// outage measures what follows when the NATS servers stand still while participants take
// the survey: replicas keep what they saw on their disks, and all of it has to be told.
func (b *bench) outage() error {
	l := newLedger()
	g, err := b.openGroup(outageOf, b.state(), l)
	if err != nil {
		return err
	}
	defer g.close()
	c := g.crowd(l, g.sidecars)
	if err := g.warmUp(c); err != nil {
		return err
	}
	l.forget()
	g.nats.Pause()
	began := time.Now()
	if err := c.queue(b.queued); err != nil {
		return err
	}
	lasted := time.Since(began)
	kept, err := g.spilled()
	if err != nil {
		return err
	}
	g.nats.Resume()
	took, peak, err := g.catchUp(l)
	if err != nil {
		return err
	}
	b.out.table(fmt.Sprintf("outage: %s, the servers stand still during %d navigations, each request to another replica", outageOf, b.queued), [][]string{
		{"lasted s", "kept MB", "caught up in s", "peak RssAnon of a replica MB", "wrong"},
		{fmt.Sprintf("%.1f", lasted.Seconds()), megabytes(kept), fmt.Sprintf("%.1f", took.Seconds()), megabytes(peak), l.wrong()},
	})
	return nil
}

// spilled returns how many bytes the replicas keep on their disks for the others.
func (g *group) spilled() (bytes int64, err error) {
	for _, s := range g.sidecars {
		files, err := filepath.Glob(filepath.Join(s.folder, "spill-*"))
		if err != nil {
			return 0, err
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil {
				return 0, err
			}
			bytes += info.Size()
		}
	}
	return bytes, nil
}

// catchUp returns how long it takes until everything was told, and how much memory a
// replica needs meanwhile.
func (g *group) catchUp(l *ledger) (took time.Duration, peak int64, err error) {
	began, last, before := time.Now(), time.Now(), 0
	for l.missing() > 0 {
		if n := l.received(); n > before {
			before, last = n, time.Now()
		}
		if time.Since(last) > stuck || g.ctx.Err() != nil {
			return 0, 0, errors.Join(fmt.Errorf("%d webhooks arrived, and no more: %s", l.received(), l.wrong()), g.ctx.Err())
		}
		for _, s := range g.sidecars {
			peak = max(peak, s.RssAnon())
		}
		g.sleep(50 * time.Millisecond)
	}
	return time.Since(began), peak, nil
}
