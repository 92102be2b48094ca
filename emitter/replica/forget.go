package replica

import (
	"cmp"
	"context"
	"slices"
)

// forgetting is a request to drop what was spilled of a participant.
type forgetting struct {
	participant string
	done        chan error
}

// ForgetSpilled drops what waits of a participant, in memory and in the spill, whose bytes
// are overwritten. What is on its way to the other replicas has arrived once it returns,
// or will not. Run must be running.
func (s *Seer) ForgetSpilled(ctx context.Context, participant string) error {
	f := forgetting{participant: participant, done: make(chan error, 1)}
	select {
	case s.forgets <- f:
	case <-s.stopped:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-f.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// forget does what was asked for, but for participants of whom something is on its way.
func (w *sender) forget() {
	w.forgetting = slices.DeleteFunc(w.forgetting, func(f forgetting) bool {
		if w.flight != nil && w.flight.has(f.participant) {
			return false
		}
		w.seer.unqueue(f.participant)
		f.done <- w.blank(f.participant)
		return true
	})
}

// blank overwrites what is in the spills of a participant.
func (w *sender) blank(participant string) (err error) {
	for _, b := range w.seer.backlogs() {
		if b.spill != nil {
			err = cmp.Or(err, b.spill.blank(participant))
			w.recount(b)
		}
		w.seer.mu.Lock()
		if err == nil {
			delete(b.pending, participant)
		}
		w.seer.mu.Unlock()
	}
	return err
}

// recount counts what is in a spill.
func (w *sender) recount(b *backlog) {
	counted := newBacklog(b.incarnation)
	err := b.spill.records(b.spill.start, func(r *record) bool {
		if r.K > b.acked && r.kind == kindSighting {
			counted.spilled(&r.Sighting)
		}
		return true
	})
	if err != nil {
		return // it is counted wrongly until it is drained
	}
	w.seer.mu.Lock()
	defer w.seer.mu.Unlock()
	b.records, b.bytes = counted.records, counted.bytes
}

// unqueue drops what waits in memory of a participant.
func (s *Seer) unqueue(participant string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.queue[:0]
	for _, waits := range s.queue {
		if waits.Participant != participant {
			kept = append(kept, waits)
			continue
		}
		s.queueBytes -= waits.size()
		close(waits.done)
	}
	clear(s.queue[len(kept):])
	s.queue = kept
}
