package outbox

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/time/rate"
)

// engine is the storage below a Store. A commit is on disk once it is in the
// journal. It is then visible in the active overlay, and a checkpoint moves it to
// the state file:
//
//	commit ─► journal (one fdatasync) ─► active ──freeze──► frozen ──checkpoint──► bbolt
//	                                       ▲                  ▲                      ▲
//	                                       └───────── view ───┴──────────────────────┘
//
// All of it belongs to the writer, but for view, update and db.
type engine struct {
	path    string
	db      *bolt.DB
	journal *journal
	log     *slog.Logger
	// applyAtOnce is how many records one transaction of a checkpoint has.
	applyAtOnce int
	// active is the overlay that commits go to, began when the first of them did.
	active *overlay
	began  time.Time
	// isVerified reports that the records of all targets were read, mustAudit that
	// indexes may lack something.
	isVerified, mustAudit bool
	// committed is when the last commit was.
	committed time.Time
	// erase receives the outcome once the journal has nothing left that was in it
	// until now; nil if nobody waits for that.
	erase chan<- error
	// frozen is what is moved to the state file next, nil if there is nothing.
	frozen *frozen

	// shrinking is the copy that is being made of the file, nil without one, and
	// shrinkNext when the next may be made.
	shrinking  *shrink
	shrinkNext time.Time

	// logFailure throttles the message about a checkpoint that failed.
	logFailure rate.Sometimes

	mu sync.Mutex
	// layers are the overlays that readers see, the newest first; they never change.
	layers []*overlay
	floors floors
	// readers are the views taken since waitForReaders was last called.
	readers *readers
}

// openEngine takes up what the journal has and the file has not. It owns db,
// unless it fails.
func openEngine(db *bolt.DB, j *journal, after position, s *Store) (*engine, error) {
	e := &engine{path: db.Path(), db: db, journal: j, log: s.log, applyAtOnce: s.applyAtOnce, active: newOverlay(), began: time.Now(), readers: &readers{}}
	e.logFailure.Interval = logEvery
	found, err := j.restore(after)
	if err != nil {
		return nil, errors.Join(err, j.close())
	}
	if isDamaged := slices.ContainsFunc(found, func(s *segment) bool { return s.damaged > 0 }); isDamaged {
		if err := e.salvage(found); err != nil {
			return nil, errors.Join(err, j.close())
		}
		found, e.mustAudit = nil, true
	}
	if len(found) > 0 {
		e.active = found[len(found)-1].changes
	}
	if len(found) > 1 {
		e.frozen = &frozen{changes: found[0].changes, upTo: found[0].last, steps: make(chan struct{}, 1)}
	}
	e.publish()
	return e, nil
}

// commit makes changes durable and then visible. v is the view that they were
// made on.
func (e *engine) commit(v *view, changes *overlay) error {
	if err := e.journal.append(changes); err != nil {
		return err
	}
	if e.active.isEmpty() {
		e.began = time.Now()
	}
	e.committed = time.Now()
	e.active.add(changes)
	layers := e.snapshot()
	e.show(layers, e.floors.after(changes, &view{layers: layers, bolt: v.bolt}))
	return nil
}

// publish shows the overlays as they are to readers.
func (e *engine) publish() { e.show(e.snapshot(), e.floors) }

// snapshot returns the overlays as they are, the newest first.
func (e *engine) snapshot() []*overlay {
	layers := []*overlay{e.active.snapshot()}
	if e.frozen != nil {
		layers = append(layers, e.frozen.changes)
	}
	return layers
}

// show replaces what readers see.
func (e *engine) show(layers []*overlay, f floors) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.layers, e.floors = layers, f
}

// view takes a snapshot, which its caller ends.
func (e *engine) view() (*view, error) {
	// While the lock is held no other overlay can be frozen, so that the file has
	// nothing that is newer than the layers.
	e.mu.Lock()
	defer e.mu.Unlock()
	tx, err := e.db.Begin(false)
	if err != nil {
		return nil, err
	}
	return &view{layers: e.layers, floors: e.floors, bolt: tx, readers: e.readers.begin()}, nil
}

// identity reads the identity of the state.
func (e *engine) identity() (id identity, err error) {
	defer guard(&err)()
	v, err := e.view()
	if err != nil {
		return identity{}, err
	}
	defer v.end()
	return v.identity(), nil
}

// finish moves everything to the state file and deletes the journal, unless that
// takes too long or fails: then the next start does it.
func (e *engine) finish(ctx context.Context) error {
	for {
		if e.frozen == nil {
			if e.active.isEmpty() {
				return e.journal.remove()
			}
			if err := e.freeze(false, nil); err != nil {
				return err
			}
		}
		e.frozen.again = time.Time{}
		e.startIfDue()
		select {
		case err := <-e.frozen.running:
			if e.ended(err); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// close closes the files. What is in the journal stays there.
func (e *engine) close() error {
	if e.frozen != nil {
		e.frozen.stop()
	}
	if e.erase != nil {
		e.erase <- ErrClosed
	}
	return errors.Join(e.journal.close(), closeDB(e.db))
}
