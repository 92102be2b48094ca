package outbox

import (
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	// fillPages is how many pages one commit of Scrub overwrites.
	fillPages = 256
	// fillPerPage is how many records fill a page, so that no record needs two
	// pages side by side.
	fillPerPage = 8
)

// ErrBusy is returned by Backup and Scrub while one of them runs.
var ErrBusy = errors.New("a backup or the erasure of a participant is in progress: try again once it has ended")

// Scrub overwrites what deleted records have left on the free pages of the file.
// It fills all of them with zeros, batch by batch, and then frees them again:
//
//	filler ─┬─ batch 0 ── 256 pages of zeros, one commit
//	        ├─ batch 1 ── …
//	        └─ batch n ── no page was free before it
//
// Other changes go on meanwhile, since no commit is large, and the file hardly
// grows. Rewriting it instead would stop the writer for as long as that takes,
// and need the space twice. If the process dies, the filler is deleted when the
// file is opened again.
//
// With several replicas, only the one that leads can do it, for all: each overwrites
// what its file has left, the log keeps no entry from before, and no snapshot. A
// replica that is away does its part once it is back.
func (s *Store) Scrub(ctx context.Context) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.exclusive.Unlock()
	if s.options.Log != nil {
		return s.scrubReplicas(ctx)
	}
	return s.scrubFile(ctx)
}

// scrubFile overwrites what was deleted in the files of this store. The caller holds
// exclusive.
func (s *Store) scrubFile(ctx context.Context) error {
	if err := s.eraseJournal(ctx); err != nil {
		return fmt.Errorf("cannot overwrite what was deleted: %w", err)
	}
	e := s.engine.Load()
	if e == nil {
		return ErrClosed
	}
	if err := e.overwriteFree(ctx); err != nil {
		return fmt.Errorf("cannot overwrite what was deleted: %w", err)
	}
	return nil
}

// overwriteFree overwrites what deleted records have left on the pages of the file.
func (e *engine) overwriteFree(ctx context.Context) (err error) {
	// bbolt keeps the pages that a transaction has freed for all readers but those that
	// began after the next one. So there is a next one, and readers that began before
	// it must have ended.
	if err := e.update(func(*bolt.Tx) error { return nil }); err != nil {
		return err
	}
	if err := e.waitForReaders(ctx); err != nil {
		return err
	}
	batches := uint64(0)
	defer func() { err = errors.Join(err, e.deleteFiller(batches)) }()
	for free := 1; free > 0; batches++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := e.update(func(tx *bolt.Tx) error { return fillFree(tx, batches) }); err != nil {
			return err
		}
		free = e.db.Stats().FreePageN // what the last transaction could have used and did not
	}
	return nil
}

// eraseJournal waits until all that was committed is in the state file, and the
// journal has none of it.
func (s *Store) eraseJournal(ctx context.Context) error {
	erased := make(chan error, 1)
	for wish, outcome := s.erase, (<-chan error)(nil); ; {
		select {
		case wish <- erased:
			wish, outcome = nil, erased
		case err := <-outcome:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-s.stopped:
			return ErrClosed
		}
	}
}

// fillFree takes fillPages free pages and fills them with zeros.
func fillFree(tx *bolt.Tx, batch uint64) error {
	filler, err := tx.CreateBucketIfNotExists(fillerName)
	if err == nil {
		filler, err = filler.CreateBucketIfNotExists(uint64Key(batch))
	}
	if err != nil {
		return err
	}
	filler.FillPercent = 1
	zeros := make([]byte, tx.DB().Info().PageSize/fillPerPage-32)
	for n := range uint64(fillPages * fillPerPage) {
		if err := filler.Put(uint64Key(n), zeros); err != nil {
			return err
		}
	}
	return nil
}

// deleteFiller frees the pages again, one batch with each transaction.
func (e *engine) deleteFiller(batches uint64) error {
	for batch := range batches {
		err := e.update(func(tx *bolt.Tx) error {
			if filler := tx.Bucket(fillerName); filler != nil {
				_ = filler.DeleteBucket(uint64Key(batch)) // a batch that was not made does not exist
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return e.update(func(tx *bolt.Tx) error {
		if err := tx.DeleteBucket(fillerName); !errors.Is(err, bolterrors.ErrBucketNotFound) {
			return err
		}
		return nil
	})
}

// fillerBytes returns how much of the file the filler takes.
func fillerBytes(tx *bolt.Tx) int64 {
	filler := tx.Bucket(fillerName)
	if filler == nil {
		return 0
	}
	first, _ := filler.Cursor().First()
	last, _ := filler.Cursor().Last()
	if first == nil {
		return 0
	}
	batches := int64(lastUint64(last)-lastUint64(first)) + 1
	return batches * fillPages * int64(tx.DB().Info().PageSize)
}
