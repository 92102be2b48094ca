package outbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// maxBatch bounds how much one commit holds, and so how long it takes.
	maxBatch = 1024
	// The pauses after a failure.
	minPause, maxPause = 100 * time.Millisecond, 2 * time.Second
	// stopGrace is how long the writer tries on after its end was asked for.
	stopGrace = 5 * time.Second
	// trimEvery is how often an idle writer looks for what is past its retention.
	trimEvery = time.Minute
)

// writer is the goroutine that writes: its state is nobody else's.
type writer struct {
	store *Store
	// lock is the state directory, locked; db is the state file, nil while it is closed.
	lock  *os.File
	db    *bolt.DB
	drawn identity
	batch []job
	// failedTx is the id of the transaction whose commit failed last, 0 after one that did not.
	failedTx int
	trimmer  trimmer
}

// Run opens the state file and commits what is submitted until ctx ends, then
// commits what still waits and closes the file. While it can't open or write
// it tries again, every two seconds at most. It returns an error when something
// could not be written in the end, and must be called once.
func (s *Store) Run(ctx context.Context) error {
	defer close(s.stopped)
	err := s.writer.run(ctx)
	s.queue.close()
	if left := append(s.writer.batch, s.queue.take(maxWaiting)...); len(left) > 0 {
		s.lose(len(left))
		s.queue.release(left)
		err = fmt.Errorf("cannot write %d waiting changes before the end: %w", len(left), err)
	}
	s.setReason("stopped")
	return err
}

func (w *writer) run(ctx context.Context) error {
	defer w.unlock()
	defer w.close()
	defer close(w.store.closing)
	var stopBy time.Time
	for pause := minPause; ; {
		err := w.step(ctx)
		if errors.Is(err, errDone) {
			return nil
		}
		if err == nil {
			pause = minPause
			continue
		}
		w.store.failing(err)
		if ctx.Err() != nil && len(w.batch) == 0 && w.store.queue.waiting() == 0 {
			return nil
		}
		if ctx.Err() != nil && stopBy.IsZero() {
			stopBy = time.Now().Add(stopGrace)
		}
		if isPast(stopBy) {
			return err
		}
		sleep(ctx, pause)
		pause = min(2*pause, maxPause)
	}
}

// errDone ends the writer: ctx has ended and nothing waits.
var errDone = errors.New("done")

// step opens the file if it has to, and makes one commit.
func (w *writer) step(ctx context.Context) error {
	if w.db == nil {
		if err := w.open(); err != nil {
			return err
		}
	}
	w.store.working()
	if !w.take(ctx) {
		return errDone
	}
	return w.commit()
}

// take waits until there is something to do. It returns false at the end.
func (w *writer) take(ctx context.Context) bool {
	if ctx.Err() != nil {
		w.store.queue.close()
	}
	if len(w.batch) == 0 {
		w.batch = w.store.queue.take(maxBatch)
	}
	if len(w.batch) > 0 {
		return true
	}
	if ctx.Err() != nil {
		return false
	}
	if w.trimmer.behind {
		return true
	}
	select {
	case <-w.store.queue.wake:
	case <-time.After(trimEvery):
		return true
	case <-ctx.Done():
	}
	return w.take(ctx)
}

// commit writes the batch. What it was made of waits on when that fails.
func (w *writer) commit() error {
	started := time.Now()
	tx, err := w.attempt()
	if err != nil {
		if errors.Is(err, errCorrupt) {
			w.close()
		}
		return fmt.Errorf("cannot write the state file: %w", explain(err))
	}
	w.failedTx = 0
	w.drawn = tx.identity
	w.store.committed(w.batch, tx, time.Since(started), &w.trimmer)
	w.batch = nil
	return nil
}

// attempt makes one transaction of the batch, without the changes that fail.
func (w *writer) attempt() (done *Tx, err error) {
	defer guard(&err)()
	for {
		done, failed, err := w.transact()
		if failed == nil {
			return done, err
		}
		w.drop(*failed, err)
	}
}

// transact commits the batch. failed is the index of the change that made it
// impossible, nil when it was not for a change.
func (w *writer) transact() (done *Tx, failed *int, err error) {
	b, err := w.db.Begin(true)
	if err != nil {
		return nil, nil, err
	}
	defer rollback(b) // does nothing after a commit, and unlocks the file after a panic
	if w.failedTx != 0 && b.ID() > w.failedTx {
		// The failed commit had reached the file all the same: bbolt reads its meta
		// page back. This one, empty, makes sure that it is on disk. What it was
		// has to be found out from the file.
		return &Tx{identity: readIdentity(b.Bucket(bucketMeta)), withdrawn: true}, nil, b.Commit()
	}
	tx := newTx(b, w.drawn, time.Now())
	tx.full = w.trimmer.full
	w.trimmer.fillerBytes = w.store.filler.Load()
	for i, j := range w.batch {
		if err := runChange(tx, j.fn); errors.Is(err, errCorrupt) {
			return nil, nil, err
		} else if err != nil {
			return nil, &i, err
		}
	}
	w.trimmer.trim(tx)
	tx.flush()
	if tx.err != nil {
		return nil, nil, tx.err
	}
	w.failedTx = b.ID()
	return tx, nil, b.Commit()
}

func runChange(tx *Tx, fn func(*Tx)) (err error) {
	defer func() {
		p := recover()
		if _, isFault := p.(interface{ Addr() uintptr }); isFault {
			err = errCorrupt
		} else if p != nil {
			// What it panics with may hold an answer, so only its type is told.
			err = fmt.Errorf("a change panicked (%T) at %s", p, debug.Stack())
		}
	}()
	fn(tx)
	return tx.err
}

// drop takes a change that fails out of the batch: it would fail again.
func (w *writer) drop(i int, err error) {
	w.store.log.Error("dropped a change of the state file: report this as a bug", "error", err)
	bad := w.batch[i]
	w.batch = append(w.batch[:i:i], w.batch[i+1:]...)
	w.store.queue.release([]job{bad})
	w.store.dropped()
	close(bad.done)
}

func rollback(b *bolt.Tx) { _ = b.Rollback() }

func (w *writer) close() {
	if w.db == nil {
		return
	}
	w.store.db.Store(nil)
	if err := closeDB(w.db); err != nil {
		w.store.log.Error("cannot close the state file", "error", err)
	}
	w.db = nil
}

// unlock leaves the state directory to others.
func (w *writer) unlock() {
	if w.lock != nil {
		_ = w.lock.Close()
	}
}

func isPast(t time.Time) bool { return !t.IsZero() && time.Now().After(t) }

// sleep waits, and no longer than ctx lasts where that is not over yet.
func sleep(ctx context.Context, d time.Duration) {
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
