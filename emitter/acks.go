package emitter

import (
	"context"
	"sync"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// hastenStep is how many retries one commit makes due, so that none takes long.
const hastenStep = 512

// ack is what came of an attempt, on its way to disk.
type ack struct {
	seq     uint64
	decided decision
	attempt outbox.Attempt
	isProbe bool
}

// committed is what one commit took to disk: the deliveries of acks, and a number of notes.
type committed struct {
	seqs  []uint64
	notes int
}

// acks takes what came of a target's attempts to disk: all that came while the
// last commit was made goes into the next.
type acks struct {
	target string
	store  *outbox.Store
	// committed receives what is on disk.
	committed chan committed
	wake      chan struct{}
	closed    chan struct{}

	mu       sync.Mutex
	waiting  []ack
	notes    []func(*outbox.Tx)
	hastened bool
}

func newAcks(target string, store *outbox.Store) *acks {
	return &acks{
		target: target, store: store,
		committed: make(chan committed), wake: make(chan struct{}, 1), closed: make(chan struct{}),
	}
}

// add queues an ack, note another change of the outbox, hasten makes all
// retries due. None of them waits.
func (a *acks) add(k ack) { a.change(func() { a.waiting = append(a.waiting, k) }) }

func (a *acks) note(fn func(*outbox.Tx)) { a.change(func() { a.notes = append(a.notes, fn) }) }

func (a *acks) hasten() { a.change(func() { a.hastened = true }) }

func (a *acks) change(fn func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fn()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// close lets run end once all is on disk. Nobody needs to receive from then on.
func (a *acks) close() { close(a.closed) }

// run commits until close, or until ctx ends or the store does.
func (a *acks) run(ctx context.Context) {
	var rest []byte // where hastening goes on
	for {
		batch, notes, hastened := a.take()
		if len(batch) == 0 && len(notes) == 0 && !hastened && rest == nil {
			if !a.wait() {
				return
			}
			continue
		}
		isHastening, from := hastened || rest != nil, rest
		if hastened {
			from = nil
		}
		err := a.store.Do(ctx, func(tx *outbox.Tx) {
			rest = nil
			a.write(tx, batch, notes)
			if isHastening {
				rest = tx.Hasten(a.target, from, hastenStep)
			}
		})
		if err != nil {
			return
		}
		a.tell(batch, len(notes))
	}
}

// wait waits for something to commit; it returns false when there will be nothing.
func (a *acks) wait() bool {
	select {
	case <-a.wake:
		return true
	case <-a.closed:
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.waiting)+len(a.notes) > 0
	}
}

func (a *acks) take() (batch []ack, notes []func(*outbox.Tx), hastened bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	batch, notes, hastened = a.waiting, a.notes, a.hastened
	a.waiting, a.notes, a.hastened = nil, nil, false
	return batch, notes, hastened
}

func (a *acks) tell(batch []ack, notes int) {
	c := committed{seqs: make([]uint64, len(batch)), notes: notes}
	for i, k := range batch {
		c.seqs[i] = k.seq
	}
	select {
	case a.committed <- c:
	case <-a.closed:
	}
}

func (a *acks) write(tx *outbox.Tx, batch []ack, notes []func(*outbox.Tx)) {
	for _, note := range notes {
		note(tx)
	}
	for _, k := range batch {
		k.write(tx)
	}
}

func (k ack) write(tx *outbox.Tx) {
	switch k.decided.verdict {
	case isDelivered:
		tx.Delivered(k.seq, k.attempt)
	case isDead:
		tx.Dead(k.seq, k.attempt)
	case retries:
		tx.Retry(k.seq, k.attempt, k.decided.retry)
	case costsNothing:
		if k.isProbe {
			tx.ProbeFailed(k.seq, k.attempt)
		}
	}
}
