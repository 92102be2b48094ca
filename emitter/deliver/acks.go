package deliver

import (
	"context"
	"sync"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// hastenStep is how many retries one commit makes due, so that none takes long.
const hastenStep = 512

// ack is the result of an attempt on its way to disk.
type ack struct {
	seq     uint64
	decided decision
	attempt outbox.Attempt
	isProbe bool
}

// committed is what one commit put on disk: the deliveries of acks, and a number of notes.
type committed struct {
	seqs  []uint64
	notes int
}

// acks puts the results of a target's attempts on disk. All that comes while a
// commit is under way goes into the next one.
type acks struct {
	target string
	store  *outbox.Store
	// committed receives what is on disk.
	committed chan committed
	wake      chan struct{}
	closed    chan struct{}

	mu      sync.Mutex
	pending batch
}

// batch is what goes to disk in one commit.
type batch struct {
	acks  []ack
	notes []func(*outbox.Tx)
	// hasten starts to make all retries due.
	hasten bool
}

func newAcks(target string, store *outbox.Store) *acks {
	return &acks{
		target: target, store: store,
		committed: make(chan committed), wake: make(chan struct{}, 1), closed: make(chan struct{}),
	}
}

// add queues an ack, note another change of the outbox, and hasten makes all
// retries due. None of them blocks.
func (a *acks) add(k ack) { a.queue(func(b *batch) { b.acks = append(b.acks, k) }) }

func (a *acks) note(fn func(*outbox.Tx)) { a.queue(func(b *batch) { b.notes = append(b.notes, fn) }) }

func (a *acks) hasten() { a.queue(func(b *batch) { b.hasten = true }) }

func (a *acks) queue(fn func(*batch)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fn(&a.pending)
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// close lets run end once everything is on disk. After it, committed need not be drained.
func (a *acks) close() { close(a.closed) }

// run commits until close, or until ctx ends or the store is closed.
func (a *acks) run(ctx context.Context) {
	var hastenFrom []byte // where hastening goes on, nil when it is done
	for {
		b := a.take()
		if b.isEmpty() && hastenFrom == nil {
			if !a.wait() {
				return
			}
			continue
		}
		isHastening, from := b.hasten || hastenFrom != nil, hastenFrom
		if b.hasten {
			from = nil
		}
		err := a.store.Do(ctx, func(tx *outbox.Tx) {
			hastenFrom = nil
			b.write(tx)
			if isHastening {
				hastenFrom = tx.Hasten(a.target, from, hastenStep)
			}
		})
		if err != nil {
			return
		}
		a.report(b)
	}
}

// wait waits for something to commit. It reports false if nothing will come.
func (a *acks) wait() bool {
	select {
	case <-a.wake:
		return true
	case <-a.closed:
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.pending.acks)+len(a.pending.notes) > 0
	}
}

func (a *acks) take() batch {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.pending
	a.pending = batch{}
	return b
}

func (a *acks) report(b batch) {
	c := committed{seqs: make([]uint64, len(b.acks)), notes: len(b.notes)}
	for i, k := range b.acks {
		c.seqs[i] = k.seq
	}
	select {
	case a.committed <- c:
	case <-a.closed:
	}
}

func (b *batch) isEmpty() bool { return len(b.acks) == 0 && len(b.notes) == 0 && !b.hasten }

func (b *batch) write(tx *outbox.Tx) {
	for _, note := range b.notes {
		note(tx)
	}
	for _, k := range b.acks {
		k.write(tx)
	}
}

func (k ack) write(tx *outbox.Tx) {
	switch k.decided.verdict {
	case delivered:
		tx.Delivered(k.seq, k.attempt)
	case dead:
		tx.Dead(k.seq, k.attempt)
	case retried:
		tx.Retry(k.seq, k.attempt, k.decided.retry)
	case free:
		if k.isProbe {
			tx.ProbeFailed(k.seq, k.attempt)
		}
	}
}
