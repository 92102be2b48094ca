package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/sidehook/sidehook/emitter/rig"
)

const (
	// fillers is the number of concurrent participants who make a backlog.
	fillers = 256
	// fillPatience bounds the time until all of a backlog is on disk.
	fillPatience = time.Minute
	// backlogged is how many participants a backlog has, at least.
	backlogged = 10_000
)

// backlog is a state folder with queued deliveries.
type backlog struct {
	state  string
	n      int
	ledger *ledger
}

// fill makes a state folder with a number of open journeys and n queued deliveries.
func (b *bench) fill(of build, journeys, n int, answer string) (*backlog, error) {
	filled := &backlog{b.state(), n, newLedger()}
	err := b.withQueueing(of, filled.state, func(s *sidecar) error {
		c := newCrowd(s.participants, filled.ledger)
		c.answer = answer
		if err := inParallel(fillers, journeys, func(int) error { return c.open(&participant{}) }); err != nil {
			return err
		}
		if err := c.queue(n); err != nil {
			return err
		}
		return b.awaitPending(s, n)
	})
	return filled, err
}

// queue makes n navigations, spread evenly over its participants.
func (c *crowd) queue(n int) error {
	people := min(n, max(backlogged, (n+pages-1)/pages))
	return inParallel(fillers, people, func(i int) error {
		var p participant
		if err := c.begin(&p); err != nil {
			return err
		}
		for range n*(i+1)/people - n*i/people {
			if err := c.navigate(&p); err != nil {
				return err
			}
		}
		return nil
	})
}

// withQueueing runs a sidecar whose only target never responds, until f returns.
func (b *bench) withQueueing(of build, state string, f func(*sidecar) error) error {
	hung, err := newTroubled()
	if err != nil {
		return err
	}
	defer hung.close()
	app, err := rig.NewServer(newSurvey().serve)
	if err != nil {
		return err
	}
	defer app.Close()
	s, err := b.start(of, setting{state: state, app: app.URL(), targets: map[string]string{"receiver": hung.urls["hung"]}, isQueueing: true})
	if err != nil {
		return err
	}
	defer s.kill() // a stop would wait for the attempts; everything is on disk
	return f(s)
}

// awaitPending waits until n deliveries are on disk.
func (b *bench) awaitPending(s *sidecar, n int) error {
	for until := time.Now().Add(fillPatience); ; b.sleep(10 * time.Millisecond) {
		on, err := s.counts()
		if err != nil || on.Pending == n {
			return errors.Join(err, b.ctx.Err())
		}
		if time.Now().After(until) || b.ctx.Err() != nil {
			return errors.Join(fmt.Errorf("%d of %d deliveries reached the disk", on.Pending, n), b.ctx.Err())
		}
	}
}
