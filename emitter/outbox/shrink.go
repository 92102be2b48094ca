package outbox

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// shrinkAbove is how large a state file may be without being shrunk.
	shrinkAbove = 16 << 20
	// shrinkIdle is for how long nothing must have been committed before.
	shrinkIdle = 30 * time.Second
	// shrinkPause is how long after one attempt the next may begin.
	shrinkPause = time.Hour
)

// shrink replaces a state file that is mostly free by a copy of what is used.
// The copy is made in the background while nothing is to be moved to the file.
// Commits go on meanwhile, into the journal; if that is full the copy is given up.
type shrink struct {
	done   chan error
	copied *bolt.DB // once done
	cancel context.CancelFunc
}

// shrinkIfWorthwhile begins to shrink an idle state file that is mostly free.
func (w *writer) shrinkIfWorthwhile() {
	e, t := w.engine, &w.trimmer
	isLarge := t.fileBytes > shrinkAbove && t.usedBytes < t.fileBytes/2
	isIdle := e.frozen == nil && e.active.isEmpty() && e.shrinking == nil && time.Since(e.committed) >= w.store.shrinkIdle
	if !isLarge || !isIdle || time.Now().Before(e.shrinkNext) || !w.store.exclusive.TryLock() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	job := &shrink{done: make(chan error, 1), cancel: cancel}
	e.shrinking, e.shrinkNext = job, time.Now().Add(shrinkPause)
	go func() {
		var err error
		job.copied, err = e.copyTo(e.path+copySuffix, ending{ctx: ctx})
		job.done <- err
	}()
}

// shrunk ends with the outcome of the copy that is being made; nil if there is none.
func (e *engine) shrunk() <-chan error {
	if e.shrinking == nil {
		return nil
	}
	return e.shrinking.done
}

// stopShrinking gives up the copy that is being made.
func (w *writer) stopShrinking() {
	if job := w.engine.shrinking; job != nil {
		job.cancel()
		_ = w.endShrinking(errors.Join(<-job.done, context.Canceled)) // nil: nothing is replaced
	}
}

// endShrinking puts a complete copy in the place of the state file. Without one
// everything stays as it is. It returns an error if no file is open afterwards.
func (w *writer) endShrinking(err error) error {
	e, job := w.engine, w.engine.shrinking
	defer w.store.exclusive.Unlock()
	defer job.cancel()
	e.shrinking = nil
	if err == nil {
		err = job.copied.Sync()
	}
	if job.copied != nil {
		err = errors.Join(err, closeDB(job.copied))
	}
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			w.store.log.Warn("cannot give back the free space of the state file", "error", err)
		}
		_ = removeFile(e.path + copySuffix) // it is removed when the file is opened, at the latest
		return nil
	}
	w.store.reading.Lock() // waits for readers, which keep the file open
	defer w.store.reading.Unlock()
	return e.replaceFile(e.path + copySuffix)
}

// replaceFile renames a file to the state file and opens it.
func (e *engine) replaceFile(by string) (err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := closeDB(e.db); err != nil {
		return err
	}
	renamed := errors.Join(e.journal.disk.rename(by, e.path), syncDir(filepath.Dir(e.path)))
	db, err := openDB(e.path)
	if err != nil {
		return errors.Join(renamed, err)
	}
	e.db = db
	_, err = prepare(db)
	return errors.Join(renamed, err)
}
