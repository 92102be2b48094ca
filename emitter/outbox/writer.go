package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

const (
	// minPause and maxPause bound the exponential backoff after a failure.
	minPause, maxPause = 100 * time.Millisecond, 2 * time.Second
	// stopGrace is how long the writer keeps writing after it was asked to stop, and
	// then how long the last checkpoint may take.
	stopGrace = 5 * time.Second
	// trimEvery is how often an idle writer applies the retention.
	trimEvery = time.Minute
	// logEvery is how often the same problem is logged.
	logEvery = time.Minute
)

// errDone ends the writer: ctx has ended and nothing waits.
var errDone = errors.New("done")

// errNoTime ends the writer if more waits than it can write in its time.
var errNoTime = errors.New("there was no time for more")

// errNotReplaced makes the writer open the state file again.
var errNotReplaced = errors.New("cannot open the state file after it was shrunk")

// writer is the one goroutine that writes. No other goroutine touches its fields.
type writer struct {
	store *Store
	// lock is the locked state directory; engine is nil while the state file is closed.
	lock     *os.File
	engine   *engine
	identity identity
	batch    []change
	// mustCommit is set from a failed commit until one succeeds.
	mustCommit bool
	trimmer    trimmer
	audit      audit
	logFailure rate.Sometimes
	// replication is nil for a store that is alone.
	replication *replication
}

func (w *writer) init(s *Store) {
	w.store = s
	w.trimmer.init(s.options.Retention, s.log)
	w.logFailure.Interval = logEvery
	if s.options.Log != nil {
		w.replication = newReplication(s)
		s.changes.setFollows(true)
	}
}

// Run opens the state file and commits what is submitted until ctx ends. Then it
// commits what still waits and closes the file. While the file cannot be opened
// or written, Run tries again, at least every two seconds. It returns an error
// if changes were left unwritten, and must be called once.
func (s *Store) Run(ctx context.Context) error {
	defer close(s.stopped)
	defer s.keepUp(ctx)()
	err := s.writer.run(ctx)
	s.changes.close()
	left := append(s.writer.unwritten(), s.changes.take(maxWaiting)...)
	s.changes.release(left)
	lost := slices.DeleteFunc(left, func(c change) bool { return c.isAwaited })
	if len(lost) > 0 {
		s.countLost(len(lost))
		err = fmt.Errorf("cannot write %d waiting changes before the end: %w", len(lost), err)
	} else {
		err = nil
	}
	s.setStatus(status{phase: phaseClosed})
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
			w.finish()
			return nil
		}
		if err != nil {
			w.failed(err)
		}
		if isStopping := ctx.Err() != nil; isStopping {
			w.store.changes.close()
			if err != nil && w.store.changes.waiting() == 0 {
				return nil
			}
			if stopBy.IsZero() {
				stopBy = time.Now().Add(stopGrace)
			} else if time.Now().After(stopBy) {
				return cmp.Or(err, errNoTime)
			}
		}
		if err == nil {
			pause = minPause
			continue
		}
		if errors.Is(err, errLog) { // which took its time already
			pause = minPause
		}
		sleep(ctx, pause)
		pause = min(2*pause, maxPause)
	}
}

// step opens the file if necessary and makes one commit.
func (w *writer) step(ctx context.Context) error {
	if w.engine == nil {
		if err := w.open(); err != nil {
			return err
		}
		w.store.wake(nil)
	}
	if r := w.replication; r != nil && !r.leads {
		return w.follow(ctx)
	}
	if err := w.makeRoom(); err != nil {
		return err
	}
	if r := w.replication; r != nil {
		if !r.leads { // since it was overtaken while it waited
			return nil
		}
		if isDone, err := w.keepLeading(); isDone {
			return err
		}
	}
	if !w.mustCommit {
		w.working()
		w.shrinkIfWorthwhile()
	}
	if !w.take(ctx) {
		return errDone
	}
	if w.engine == nil {
		return errNotReplaced
	}
	if r := w.replication; r != nil && !r.leads {
		return nil
	}
	err := w.commit()
	w.mustCommit = err != nil
	if w.replication != nil {
		return w.judge(err)
	}
	return err
}

// working notes that the file is open and its last commit succeeded.
func (w *writer) working() {
	switch last := w.store.setStatus(status{phase: phaseOpen}); last.phase {
	case phaseOpening:
		w.store.log.Info("opened the state file")
	case phaseFailed:
		w.store.log.Info("changes can be written again", "before", last.err)
	case phaseOpen, phaseClosed:
	}
}

// failed notes that the file cannot be opened or written.
func (w *writer) failed(err error) {
	w.store.setStatus(status{phase: phaseFailed, err: err})
	if r := w.replication; r != nil && w.engine == nil {
		r.tell(RoleBehind, err)
	}
	w.logFailure.Do(func() {
		if w.replication != nil {
			w.store.log.Error("cannot write: what changes waits, or another replica takes over", "error", err, "waiting", w.store.changes.waiting())
			return
		}
		w.store.log.Error("cannot write the state file: participants are served, but observations wait in memory and are lost if the process dies",
			"error", err, "waiting", w.store.changes.waiting())
	})
}

// take waits until there is something to commit. It returns false once ctx has
// ended and nothing waits, and then nothing more is accepted.
func (w *writer) take(ctx context.Context) bool {
	isStopping := ctx.Err() != nil // asked once: a change may come before the queue is closed
	if isStopping {
		w.store.changes.close()
	}
	if len(w.batch) == 0 {
		w.batch = w.store.changes.take(maxBatch)
	}
	if len(w.batch) > 0 {
		return true
	}
	if isStopping {
		return false
	}
	if w.trimmer.behind || w.audit.isRunning() || w.mustCommit || w.isTermOver() {
		return true
	}
	if latest := w.untilBeat(trimEvery); w.wait(ctx, latest) {
		return true
	}
	return w.take(ctx)
}

// wait waits until changes have come or ctx ends. It returns true if something else
// has happened, which it sees to as far as it can, or after a while.
func (w *writer) wait(ctx context.Context, latest time.Duration) (isDue bool) {
	entries, suspects := w.arriving()
	select {
	case <-w.store.changes.wake:
	case <-entries:
		return true
	case one := <-suspects:
		w.examine(one)
		return true
	case err := <-w.engine.running():
		w.engine.ended(err)
		return true
	case err := <-w.engine.shrunk():
		if err := w.endShrinking(err); err != nil {
			w.store.log.Error("cannot replace the state file", "error", err)
			w.close()
		}
		return true
	case w.engine.erase = <-w.store.erase:
		return true
	case one := <-w.store.wishes:
		w.grant(one)
		return true
	case <-time.After(w.engine.nextCheckpoint(latest)):
		return true
	case <-ctx.Done():
	}
	return false
}

// makeRoom sees to it that the journal can take a commit. A leader that has to wait for
// a slow disk goes on leading: another one would have the same to write. A state file
// that turns out to be damaged is closed.
func (w *writer) makeRoom() error {
	if w.engine.isFull() {
		w.stopShrinking()
	}
	err := w.engine.makeRoom(w.stayLeading)
	if errors.Is(err, errCorrupt) {
		w.close()
	}
	if err != nil {
		w.mustCommit = true
		return fmt.Errorf("cannot write the state file: %w", explain(err))
	}
	return nil
}

// finish leaves everything in the state file, if there is time.
func (w *writer) finish() {
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	if w.replication != nil {
		w.leave()
	}
	w.stopShrinking()
	if err := w.engine.finish(ctx); err != nil {
		w.store.log.Warn("some changes are in the journal alone until the next start", "error", err)
	}
}

func (w *writer) close() {
	if w.engine == nil {
		return
	}
	if w.replication != nil {
		w.unfollow()
		w.stepDown()
	}
	w.stopShrinking()
	w.store.engine.Store(nil)
	if err := w.engine.close(); err != nil {
		w.store.log.Error("cannot close the state file", "error", err)
	}
	w.engine = nil
}

// unlock leaves the state directory to other processes.
func (w *writer) unlock() {
	if w.lock != nil {
		_ = w.lock.Close()
	}
}

// sleep waits for d or, unless it has ended already, until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
