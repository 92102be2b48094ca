package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// replicasRate is the navigations a second of replicas.
const replicasRate = 80

// replicated is the measurement of a formation.
type replicated struct {
	waits          []time.Duration
	delays         delays
	logged         float64       // bytes for each navigation
	delivered      float64       // a second
	leads, webhook time.Duration // after the leader was killed
	wrong          string
}

// replicas measures what it costs to have several replicas: each request reaches
// another one. The servers sync each message before they acknowledge it.
func (b *bench) replicas() error {
	rows := [][]string{{
		"replicas", "response p50 ms", "p99 ms", "event → webhook p50 ms", "p99 ms", "deliveries/s",
		"another leads s", "next webhook s", "log bytes each", "wrong",
	}}
	formations := []formation{{1, 0}, {2, 1}, {3, 1}, {2, 3}, {3, 3}}
	if b.isSmoke {
		formations = []formation{{2, 1}, {2, 3}}
	}
	for _, of := range formations {
		r, err := b.replicate(of)
		if err != nil {
			return fmt.Errorf("%s: %w", of, err)
		}
		rows = append(rows, append([]string{of.String()}, r.row(of)...))
	}
	b.out.table(fmt.Sprintf("replicas: a backlog of %d; then %d navigations a second for %v, each request to another replica; then the leader is killed, "+
		"and started again once another leads", b.queued, replicasRate, b.duration), rows)
	return nil
}

func (r replicated) row(of formation) []string {
	takeover, webhook, logged := "", "", ""
	if of.servers > 0 {
		takeover, webhook, logged = fmt.Sprintf("%.1f", r.leads.Seconds()), fmt.Sprintf("%.1f", r.webhook.Seconds()), fmt.Sprintf("%.0f", r.logged)
	}
	return []string{
		millis(percentile(r.waits, 50)), millis(percentile(r.waits, 99)), millis(r.delays.p50), millis(r.delays.p99),
		fmt.Sprintf("%.0f", r.delivered), takeover, webhook, logged, r.wrong,
	}
}

// replicate measures a formation.
func (b *bench) replicate(of formation) (r replicated, err error) {
	filled, err := b.fill(b.builds[0], 0, b.queued, answerText)
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(filled.state)
	g, err := b.openGroup(of, filled.state, filled.ledger)
	if err != nil {
		return r, err
	}
	defer g.close()
	if r.delivered, err = g.drain(filled); err != nil {
		return r, err
	}
	r.wrong = filled.ledger.wrong()
	filled.ledger.forget()
	if err := g.walkAll(filled.ledger, &r); err != nil || of.servers == 0 {
		return r, err
	}
	r.leads, r.webhook, err = g.takeOver(filled.ledger)
	return r, err
}

// drain returns how many deliveries of the backlog arrive in a second.
func (g *group) drain(filled *backlog) (rate float64, err error) {
	l := filled.ledger
	before, last := -1, time.Now()
	for l.received() < filled.n {
		if n := l.received(); n > before {
			before, last = n, time.Now()
		}
		if time.Since(last) > stuck || g.ctx.Err() != nil {
			return 0, errors.Join(fmt.Errorf("%d of %d deliveries arrived, and no more", l.received(), filled.n), g.ctx.Err())
		}
		g.sleep(10 * time.Millisecond)
	}
	return perSecond(filled.n, time.Since(l.first)), nil
}

// walkAll lets a crowd take the survey through all replicas.
func (g *group) walkAll(l *ledger, r *replicated) error {
	c := g.crowd(l, g.sidecars)
	if err := g.warmUp(c); err != nil {
		return err
	}
	before, err := g.logged()
	if err != nil {
		return err
	}
	if err := c.walk(g.ctx, replicasRate, g.duration); err != nil {
		return err
	}
	if r.delays, err = g.collect(l); err != nil {
		return err
	}
	after, err := g.logged()
	r.logged = float64(after-before) / float64(max(1, l.received()))
	r.waits = l.waits
	return err
}

// logged returns how many bytes the log has, and what was seen.
func (g *group) logged() (bytes uint64, err error) {
	if g.nats == nil {
		return 0, nil
	}
	conn, err := nats.Connect(strings.Join(g.nats.Addresses, ","))
	if err != nil {
		return 0, fmt.Errorf("cannot ask the servers how long the log is: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(g.ctx, requestLimit)
	defer cancel()
	for _, name := range []string{replicasApp + "_written", replicasApp + "_seen"} {
		stream, err := js.Stream(ctx, name)
		if err != nil {
			return 0, fmt.Errorf("cannot ask the servers how long %s is: %w", name, err)
		}
		bytes += stream.CachedInfo().State.Bytes
	}
	return bytes, nil
}

// takeOver kills the leader, and starts it again, while others take the survey. It
// returns how long it takes until another replica leads, and until the next webhook.
func (g *group) takeOver(l *ledger) (leads, webhook time.Duration, err error) {
	leader, err := g.awaitLeader()
	if err != nil {
		return 0, 0, err
	}
	at := slices.Index(g.sidecars, leader)
	g.sidecars = slices.Delete(g.sidecars, at, at+1)
	c := g.crowd(l, g.sidecars)
	if err := g.warmUp(c); err != nil {
		return 0, 0, err
	}
	leader.kill()
	killed := time.Now()
	ctx, cancel := context.WithCancel(g.ctx)
	var walking sync.WaitGroup
	defer walking.Wait()
	defer cancel()
	walking.Go(func() { _ = c.walk(ctx, replicasRate, leaderLimit) })
	if _, err := g.awaitLeader(); err != nil {
		return 0, 0, err
	}
	leads = time.Since(killed)
	if err := g.startOne(leader.with); err != nil {
		return 0, 0, err
	}
	for l.received() == 0 && time.Since(killed) < 2*leaderLimit && g.ctx.Err() == nil {
		g.sleep(time.Millisecond)
	}
	if l.received() == 0 {
		return 0, 0, errors.Join(errors.New("no webhook arrived after the leader was killed"), g.ctx.Err())
	}
	return leads, time.Since(killed), nil
}
