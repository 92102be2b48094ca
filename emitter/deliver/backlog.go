package deliver

import (
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// readLimit is how many deliveries are read from the outbox at a time.
const readLimit = 128

// backlog is a target's part of the outbox: what was read from it and not sent
// yet, and what is being sent.
type backlog struct {
	target string
	outbox *outbox.Store
	// buffer holds what was read and not sent yet, in order.
	buffer []*outbox.Delivery
	// withdrawals is the outbox's count when buffer was read.
	withdrawals uint64
	// busy are the deliveries whose attempt is in flight or not on disk.
	busy map[uint64]struct{}
	// isStale is set when the outbox may have more than the buffer. nextDue is when
	// it will have, zero if only something that happens can change that.
	isStale bool
	nextDue time.Time
}

func newBacklog(target string, store *outbox.Store) *backlog {
	return &backlog{target: target, outbox: store, busy: map[uint64]struct{}{}, isStale: true}
}

// refresh drops the buffer if deliveries in it may have been discarded or erased.
func (b *backlog) refresh() {
	if n := b.outbox.Withdrawals(); n != b.withdrawals {
		b.withdrawals = n
		b.drop()
	}
}

// drop forgets what was read, to read it again.
func (b *backlog) drop() { b.buffer, b.isStale = nil, true }

// dropRetries forgets the retries that were read: deliveries that were never
// tried go first, and new ones may have come.
func (b *backlog) dropRetries() {
	b.isStale = true
	for i, d := range b.buffer {
		if d.Attempts > 0 {
			b.buffer = b.buffer[:i]
			return
		}
	}
}

// needsRead reports whether the buffer has to be read before the next delivery is known.
func (b *backlog) needsRead(now time.Time) bool {
	if !b.nextDue.IsZero() && !b.nextDue.After(now) {
		b.isStale, b.nextDue = true, time.Time{}
	}
	return len(b.buffer) == 0 && b.isStale
}

// read fills the buffer.
func (b *backlog) read(now time.Time) error {
	due, next, err := b.outbox.Due(b.target, now, readLimit, b.isBusy)
	if err == nil {
		b.buffer, b.nextDue, b.isStale = due, next, len(due) > 0
	}
	return err
}

// first returns the next delivery; nil, and when to look again, if there is none.
func (b *backlog) first() (d *outbox.Delivery, wakeAt time.Time) {
	if len(b.buffer) == 0 {
		return nil, b.nextDue
	}
	return b.buffer[0], time.Time{}
}

// early returns the oldest retry, due or not, that the target itself did not put
// off; nil if there is none.
func (b *backlog) early() (*outbox.Delivery, error) { return b.outbox.OldestRetry(b.target, b.isBusy) }

// take marks a delivery as busy.
func (b *backlog) take(d *outbox.Delivery) {
	if len(b.buffer) > 0 && b.buffer[0] == d {
		b.buffer = b.buffer[1:]
	}
	b.busy[d.Seq] = struct{}{}
}

// release removes deliveries whose result is on disk: their followers may be due.
func (b *backlog) release(seqs []uint64) {
	for _, seq := range seqs {
		delete(b.busy, seq)
	}
	b.isStale = true
}

func (b *backlog) isBusy(seq uint64) bool { _, busy := b.busy[seq]; return busy }
