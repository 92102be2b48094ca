package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sidehook/sidehook/emitter/rig"
)

// battle is one attack, played beside honest participants.
type battle struct {
	sizes
	attack attack
	// ctx ends when the attack has to.
	ctx   context.Context
	app   app
	side  *sidecar
	crowd *crowd
	lake  *receiver
	// crm and hung are nil where the setup has none.
	crm  *receiver
	hung *rig.Server
	// sent counts the attacker's bytes.
	sent atomic.Int64

	mu     sync.Mutex
	held   []io.Closer
	missed []string
	atRisk float64 // of processes that have ended
}

// fight lets honest participants walk before, beside and after the attack, and
// measures.
func (b *battle) fight(out *outcome) error {
	ctx := b.ctx
	out.before = b.walkFor(ctx, b.calm)
	measured := b.measure()
	attacking, done := context.WithTimeout(ctx, b.longest)
	b.ctx = attacking
	var played error
	var playing sync.WaitGroup
	playing.Go(func() {
		defer done()
		played = b.attack.play(b)
	})
	out.beside = b.crowd.walk(attacking)
	playing.Wait()
	b.ctx = ctx
	if played != nil && !b.side.hasEnded() {
		return played
	}
	out.after = b.walkFor(ctx, b.calm)
	b.collect(out)
	out.peakMemory, out.peakDisk = measured()
	b.end(out)
	return nil
}

// walkFor lets honest participants walk for a time.
func (b *battle) walkFor(ctx context.Context, d time.Duration) []time.Duration {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return b.crowd.walk(ctx)
}

// collect waits for honest events, then asks the process how it is.
func (b *battle) collect(out *outcome) {
	b.revive()
	for i, target := range []string{"lake", "crm"}[:len(b.crowd.ledgers)] {
		t := b.await(b.crowd.ledgers[i])
		for _, missed := range t.missed(target) {
			b.miss("%s", missed)
		}
		out.expected += t.expected
		out.arrived += t.arrived
		if target == "lake" { // the other one was down
			out.late += t.late
		}
	}
	if b.attack.check != nil && !b.side.hasEnded() {
		b.attack.check(b)
	}
	if n, first := b.crowd.failures(); n > 0 {
		b.miss("%d honest requests failed, the first with: %s", n, first)
	}
	if _, err := b.side.ask("/live"); err != nil {
		b.miss("%v", err)
	}
	out.atRisk = b.atRisk + b.side.metric("sidehook_released_at_risk_total")
	out.sent = b.sent.Load()
}

// await waits until all events of a ledger have arrived, with an end to patience.
func (b *battle) await(l *ledger) (t tally) {
	for until := time.Now().Add(b.catchUp); ; b.sleep(10 * time.Millisecond) {
		t = l.tally()
		if t.arrived == t.expected || time.Now().After(until) || b.ctx.Err() != nil || b.side.hasEnded() {
			return t
		}
	}
}

// end stops the process and reads its log.
func (b *battle) end(out *outcome) {
	b.release()
	if b.side.hasEnded() {
		b.miss("the process has ended: %s", b.side.Exit())
	} else if err := b.side.Stop(b.stopping); err != nil {
		b.miss("%v", err)
	}
	log := b.side.log()
	if len(log) > barLog {
		b.miss("the log has %d KB, the bar is %d KB", len(log)>>10, barLog>>10)
	}
	for _, leaked := range leaks(log, b.crowd.ledgers[0].participants()) {
		b.miss("%s", leaked)
	}
	out.sizeLimit = b.sizeLimit()
	out.missed = b.missed
}

// miss notes a bar that is missed.
func (b *battle) miss(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missed = append(b.missed, fmt.Sprintf(format, args...))
}

// hold keeps a connection open until honest events have been waited for.
func (b *battle) hold(c io.Closer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = append(b.held, c)
}

func (b *battle) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.held {
		c.Close()
	}
	b.held = nil
}

// revive brings the target crm back, unless it is to refuse everything.
func (b *battle) revive() {
	if b.crm != nil && !b.attack.crmRefuses {
		b.crm.isDown.Store(false)
	}
}

// restart ends the process, does something to its files, and starts it again,
// while no honest request is in flight.
func (b *battle) restart(isKill bool, meanwhile func() error) error {
	b.crowd.gate.Lock()
	defer b.crowd.gate.Unlock()
	b.atRisk += b.side.metric("sidehook_released_at_risk_total")
	if isKill {
		b.side.Kill()
	} else if err := b.side.Stop(b.stopping); err != nil {
		b.miss("%v", err)
	}
	b.crowd.client.CloseIdleConnections() // the process closed the others' ends
	if err := meanwhile(); err != nil {
		return err
	}
	return b.side.start(context.WithoutCancel(b.ctx))
}

// sleep sleeps for d, or until the attack has to end.
func (b *battle) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-b.ctx.Done():
	}
}
