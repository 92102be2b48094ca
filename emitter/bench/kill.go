package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

const (
	// killRate is how many navigations a second there are while the process is killed.
	killRate = 500
	// mostAlive is the longest that a process lives before it is killed.
	mostAlive = time.Second
)

// kill kills the process at random moments, and counts what was acknowledged
// and never delivered.
func (b *bench) kill() error {
	rows := [][]string{{"build", "kills", "acknowledged", "webhooks", "wrong"}}
	var bar func()
	for _, of := range b.builds {
		l, err := b.killRounds(of)
		if err != nil {
			return err
		}
		rows = append(rows, []string{of.name, fmt.Sprint(b.kills), fmt.Sprint(l.acknowledged), fmt.Sprint(l.arrived), l.wrong()})
		if of == b.builds[0] {
			most := b.kills * b.concurrency
			bar = func() {
				b.out.bar(l.missing()+l.renamed == 0 && l.repeated <= most, "%d lost = 0, %d renamed = 0, %d repeated ≤ %d in flight", l.missing(), l.renamed, l.repeated, most)
			}
		}
	}
	b.out.table(fmt.Sprintf("kill: kill -9 at random moments, %d navigations a second", killRate), rows)
	bar()
	return nil
}

func (b *bench) killRounds(of build) (*ledger, error) {
	app, err := newServer(newSurvey().serve)
	if err != nil {
		return nil, err
	}
	defer app.close()
	l := newLedger()
	target, err := newReceiver(l)
	if err != nil {
		return nil, err
	}
	defer target.close()
	with := setting{state: b.state(), app: app.url(), targets: map[string]string{"receiver": target.url()}}
	defer os.RemoveAll(with.state)
	c := newCrowd("", l)
	for range b.kills {
		s, err := b.start(of, with)
		if err != nil {
			return nil, err
		}
		b.walkUntilKilled(c, s)
	}
	s, err := b.start(of, with)
	if err != nil {
		return nil, err
	}
	_, err = b.collect(l)
	return l, errors.Join(err, s.stop())
}

// walkUntilKilled kills the process while participants are under way. Those who
// meet an error give up.
func (b *bench) walkUntilKilled(c *crowd, s *sidecar) {
	c.connectTo(s.participants)
	ctx, cancel := context.WithCancel(b.ctx)
	var walking sync.WaitGroup
	walking.Go(func() {
		_ = c.gather()
		_ = c.walk(ctx, killRate, 2*mostAlive)
	})
	b.sleep(rand.N(mostAlive))
	s.kill()
	cancel()
	walking.Wait()
}
