package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// aliveWithin is longer than any time without an entry while a replica leads or can.
const aliveWithin = silence + silenceSpread + time.Second

var (
	// ErrAlive is returned by Seed while the log has a leader.
	ErrAlive = errors.New("a replica leads: there is nothing to repair; for a new log, stop the others first")
	// ErrNoLog is returned by Seed of a store that is alone.
	ErrNoLog = errors.New("this sidehook is not one of several: its configuration has no key replicas")
)

// Seed begins a new log with the state of this replica, in place of one that has lost
// entries. The other replicas of the old one load this state in place of theirs; what
// they alone have is lost. All ids differ from earlier ones from then on. Seed takes
// some seconds. It returns ErrAlive if a replica leads, and otherwise an error if the
// log cannot be reached; it can be called again.
func (s *Store) Seed(ctx context.Context) error {
	if s.options.Log == nil {
		return ErrNoLog
	}
	if err := s.isDead(ctx); err != nil {
		return err
	}
	if err := s.inWriter(ctx, func(w *writer) error { return w.seed(ctx) }); err != nil {
		return fmt.Errorf("cannot begin a new log of the replicas: %w", err)
	}
	return nil
}

// isDead returns nil once nobody has written for so long that nobody leads.
func (s *Store) isDead(ctx context.Context) error {
	if s.Leads() {
		return ErrAlive
	}
	_, last, err := s.options.Log.Extent(ctx)
	if err != nil {
		return fmt.Errorf("cannot reach the log of the replicas: %w", err)
	}
	waiting, cancel := context.WithTimeout(ctx, aliveWithin)
	defer cancel()
	err = s.options.Log.Written(waiting, last, func(uint64, []byte) error { return ErrAlive })
	if isSilent := errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil; isSilent {
		return nil
	}
	return err
}

// seed begins a new log. What the old one still has is dropped.
func (w *writer) seed(ctx context.Context) error {
	r := w.replication
	if r.leads {
		return ErrAlive
	}
	w.unfollow()
	w.dropProposal()
	log, _, err := r.log.state(ctx)
	if err != nil {
		return err
	}
	id := randomChain()
	predecessor, err := w.predecessor(log)
	if err != nil {
		return err
	}
	changes := newOverlay()
	changes.set(newRecord(bucketMeta, keyPredecessor, predecessor[:]))
	changes.set(newRecord(bucketMeta, keyLost, nil))
	next := w.identity.withNewEpoch()
	next.putInto(changes)
	if err := w.beginAt(ctx, place{log: id, number: log.last, chain: id}, changes); err != nil {
		return err
	}
	w.identity = next
	return nil
}

// predecessor returns the id of the log whose files the snapshots of a new one replace:
// that of this file or, if it has none, the one that there is.
func (w *writer) predecessor(log logState) (id chain, err error) {
	defer guard(&err)()
	v, err := w.engine.view()
	if err != nil {
		return chain{}, err
	}
	defer v.end()
	at, hasPlace, _ := v.place()
	switch before := v.get(bucketMeta, keyPredecessor); {
	case hasPlace && at.index > 0:
		return at.log, nil
	case hasPlace && len(before) == len(id): // an attempt to begin one that failed
		return chain(before), nil
	}
	return log.snapshot.log, nil
}
