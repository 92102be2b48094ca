package outbox

import "context"

// wish is what another goroutine has the writer do between two commits.
type wish struct {
	do      func(*writer) error
	outcome chan error
}

// inWriter has the writer do something while the state file is open and nothing is on
// its way to the log, and returns its error. If ctx ends before the writer begins, it
// is not done.
func (s *Store) inWriter(ctx context.Context, do func(*writer) error) error {
	one := wish{do: do, outcome: make(chan error, 1)}
	select {
	case s.wishes <- one:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
		return ErrClosed
	}
	return <-one.outcome
}

// grant does what is wished.
func (w *writer) grant(one wish) {
	err := one.do(w)
	one.outcome <- err
	if w.replication != nil && w.replication.leads {
		_ = w.judge(err) // its caller has the error
	}
}
