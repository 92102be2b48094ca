package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/sidehook/sidehook/emitter/rig"
)

const (
	// catchUp bounds the wait for webhooks after the last response.
	catchUp = 20 * time.Second
	// isolationRate is the navigations a second of isolation.
	isolationRate = 200

	barDelay     = 5 * time.Millisecond
	barJoined    = 100 * time.Millisecond
	barIsolation = 1.5
)

// delays are the times from a participant's response to the webhook, in one round.
type delays struct {
	p50, p99, longest time.Duration
	n, missing        int
}

// pace is how fast a crowd navigates, and who it is.
type pace struct {
	rate      int // navigations a second
	hasOwnIDs bool
	// isBurst makes the whole crowd arrive at once; otherwise somebody new arrives
	// whenever somebody is done.
	isBurst bool
}

func (p pace) String() string {
	switch {
	case p.isBurst:
		return fmt.Sprintf("their own, joined, %d at once", crowdSize)
	case p.hasOwnIDs:
		return "their own, joined"
	default:
		return "made up by the app"
	}
}

// latency measures the time from a participant's response to the webhook.
func (b *bench) latency() error {
	rows := [][]string{{"build", "navigations/s", "participants' ids", "p50 ms", "p99 ms", "max ms", "webhooks", "missing"}}
	var bars []func()
	for _, of := range []pace{
		{rate: 100}, {rate: 500}, {rate: 100, hasOwnIDs: true}, {rate: 500, hasOwnIDs: true}, {rate: 500, hasOwnIDs: true, isBurst: true},
	} {
		rounds := map[string][]delays{}
		for range b.rounds {
			for _, build := range b.builds {
				one, err := b.walk(build, of, nil)
				if err != nil {
					return err
				}
				rounds[build.name] = append(rounds[build.name], one)
			}
		}
		for _, build := range b.builds {
			rows = append(rows, append([]string{build.name, fmt.Sprint(of.rate), of.String()}, medianDelays(rounds[build.name]).row()...))
		}
		p99, limit := medianDelays(rounds[b.builds[0].name]).p99, barDelay
		if of.hasOwnIDs {
			limit = barJoined
		}
		bars = append(bars, func() {
			b.out.bar(p99 <= limit, "%d/s, ids %v: p99 %s ms ≤ %s ms", of.rate, of, millis(p99), millis(limit))
		})
	}
	b.out.table(fmt.Sprintf("latency: from a participant's response to the webhook, fsync on; median of %d rounds of %v", b.rounds, b.duration), rows)
	for _, print := range bars {
		print()
	}
	return nil
}

// isolation measures a healthy target alone, then beside targets in trouble.
func (b *bench) isolation() error {
	rows := [][]string{{"build", "healthy target", "p50 ms", "p99 ms", "max ms", "webhooks", "missing"}}
	var is []float64
	for _, build := range b.builds {
		var alone, beside []delays
		for range b.rounds {
			one, other, err := b.isolationRound(build)
			if err != nil {
				return err
			}
			alone, beside = append(alone, one), append(beside, other)
			if build == b.builds[0] {
				is = append(is, float64(other.p99)/float64(max(one.p99, time.Microsecond)))
			}
		}
		rows = append(rows, append([]string{build.name, "alone"}, medianDelays(alone).row()...),
			append([]string{build.name, "beside a hung, a failing and a slow one"}, medianDelays(beside).row()...))
	}
	b.out.table(fmt.Sprintf("isolation: a healthy target, %d navigations a second; median of %d rounds of %v", isolationRate, b.rounds, b.duration), rows)
	b.out.bar(median(is) <= barIsolation, "p99 %.2f × alone ≤ %.1f ×", median(is), barIsolation)
	return nil
}

func (b *bench) isolationRound(of build) (alone, beside delays, err error) {
	if alone, err = b.walk(of, pace{rate: isolationRate}, nil); err != nil {
		return alone, beside, err
	}
	others, err := newTroubled()
	if err != nil {
		return alone, beside, err
	}
	defer others.close()
	beside, err = b.walk(of, pace{rate: isolationRate}, others.urls)
	return alone, beside, err
}

// walk lets a crowd take the survey through a sidecar, and measures what a
// healthy target receives beside the others.
func (b *bench) walk(of build, who pace, others map[string]string) (d delays, err error) {
	err = b.withCrowd(of, others, func(_ *sidecar, c *crowd) error {
		c.hasOwnIDs = who.hasOwnIDs
		if !who.isBurst {
			if err := b.warmUp(c); err != nil {
				return err
			}
		}
		if err := c.walk(b.ctx, who.rate, b.duration); err != nil {
			return err
		}
		d, err = b.collect(c.ledger)
		return err
	})
	return d, err
}

// withCrowd runs a sidecar between an app and a healthy target beside others, and
// calls run with it and with a crowd of participants.
func (b *bench) withCrowd(of build, others map[string]string, run func(*sidecar, *crowd) error) error {
	app, err := rig.NewServer(newSurvey().serve)
	if err != nil {
		return err
	}
	defer app.Close()
	l := newLedger()
	healthy, err := newReceiver(l)
	if err != nil {
		return err
	}
	defer healthy.Close()
	targets := map[string]string{"receiver": healthy.URL()}
	for name, url := range others {
		targets[name] = url
	}
	state := b.state()
	defer os.RemoveAll(state)
	s, err := b.start(of, setting{state: state, app: app.URL(), targets: targets})
	if err != nil {
		return err
	}
	defer s.kill()
	return run(s, newCrowd(s.participants, l))
}

// warmUp lets the crowd arrive and forgets its webhooks: joining everybody at once
// takes longer than joining those who arrive later.
func (b *bench) warmUp(c *crowd) error {
	if err := c.gather(); err != nil {
		return err
	}
	_, err := b.collect(c.ledger)
	c.ledger.forget()
	return err
}

// collect waits for the webhooks of all that was acknowledged.
func (b *bench) collect(l *ledger) (d delays, err error) {
	for until := time.Now().Add(catchUp); l.missing() > 0 && time.Now().Before(until) && b.ctx.Err() == nil; {
		b.sleep(10 * time.Millisecond)
	}
	all := l.delays()
	if len(all) == 0 {
		return d, errors.Join(errors.New("no webhook arrived"), b.ctx.Err())
	}
	return delays{p50: percentile(all, 50), p99: percentile(all, 99), longest: percentile(all, 100), n: len(all), missing: l.missing()}, b.ctx.Err()
}

// medianDelays takes the median of each figure by itself; what is missing adds up.
func medianDelays(rounds []delays) (m delays) {
	of := func(figure func(delays) time.Duration) time.Duration {
		var all []time.Duration
		for _, round := range rounds {
			all = append(all, figure(round))
		}
		return median(all)
	}
	m.p50 = of(func(d delays) time.Duration { return d.p50 })
	m.p99 = of(func(d delays) time.Duration { return d.p99 })
	m.longest = of(func(d delays) time.Duration { return d.longest })
	for _, round := range rounds {
		m.n += round.n
		m.missing += round.missing
	}
	return m
}

func (d delays) row() []string {
	return []string{millis(d.p50), millis(d.p99), millis(d.longest), fmt.Sprint(d.n), fmt.Sprint(d.missing)}
}
