package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/sidehook/sidehook/emitter/rig"
)

const (
	// killRate is the navigations a second before a kill.
	killRate = 500
	// mostAlive bounds the random time before a kill.
	mostAlive = time.Second
)

// kill kills the process at random moments, and counts what was acknowledged
// and never delivered.
func (b *bench) kill() error {
	rows := [][]string{{"build", "kills", "acknowledged", "webhooks", "in flight at a kill", "wrong"}}
	var bar func()
	for _, of := range b.builds {
		l, inFlight, err := b.killRounds(of)
		if err != nil {
			return err
		}
		rows = append(rows, []string{of.name, fmt.Sprint(b.kills), fmt.Sprint(l.acknowledged), fmt.Sprint(l.arrived), fmt.Sprint(inFlight), l.wrong()})
		if of == b.builds[0] {
			bar = func() {
				b.out.bar(l.missing()+l.renamed == 0 && l.repeated <= inFlight, "%d lost = 0, %d with a second id = 0, %d repeated ≤ %d in flight", l.missing(), l.renamed, l.repeated, inFlight)
			}
		}
	}
	b.out.table(fmt.Sprintf("kill: kill -9 at random moments, %d navigations a second", killRate), rows)
	bar()
	return nil
}

// killRounds returns the ledger of all rounds, and how many webhooks had arrived
// by a kill without being marked as delivered on disk.
func (b *bench) killRounds(of build) (l *ledger, inFlight int, err error) {
	app, err := rig.NewServer(newSurvey().serve)
	if err != nil {
		return nil, 0, err
	}
	defer app.Close()
	l = newLedger()
	target, err := newReceiver(l)
	if err != nil {
		return nil, 0, err
	}
	defer target.Close()
	with := setting{state: b.state(), app: app.URL(), targets: map[string]string{"receiver": target.URL()}}
	defer os.RemoveAll(with.state)
	c := newCrowd("", l)
	for range b.kills {
		s, err := b.start(of, with)
		if err != nil {
			return nil, 0, err
		}
		b.walkUntilKilled(c, s)
		delivered, err := b.deliveredOnDisk(of, with.state)
		if err != nil {
			return nil, 0, err
		}
		inFlight += max(0, l.received()-delivered)
	}
	s, err := b.start(of, with)
	if err != nil {
		return nil, 0, err
	}
	_, err = b.collect(l)
	return l, inFlight, errors.Join(err, s.stop())
}

// walkUntilKilled kills the process at a random moment after the first
// navigation. Those who meet an error give up.
func (b *bench) walkUntilKilled(c *crowd, s *sidecar) {
	c.connectTo(s.participants)
	ctx, cancel := context.WithCancel(b.ctx)
	gathered := make(chan struct{})
	var walking sync.WaitGroup
	walking.Go(func() {
		_ = c.gather()
		close(gathered)
		_ = c.walk(ctx, killRate, mostAlive)
	})
	select {
	case <-gathered:
	case <-time.After(mostAlive):
	}
	b.sleep(rand.N(mostAlive))
	s.kill()
	cancel()
	walking.Wait()
}

// deliveredOnDisk counts the delivered deliveries in a state folder.
func (b *bench) deliveredOnDisk(of build, state string) (n int, err error) {
	err = b.withQueueing(of, state, func(s *sidecar) error {
		for until := time.Now().Add(mostAlive); time.Now().Before(until); b.sleep(time.Millisecond) {
			on, err := s.counts()
			if n = on.Delivered; err != nil || on.Pending+on.Delivered > 0 {
				return err
			}
		}
		return nil
	})
	return n, err
}
