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
func (s *Store) Scrub(ctx context.Context) (err error) {
	if !s.exclusive.TryLock() {
		return ErrBusy
	}
	defer s.exclusive.Unlock()
	// The pages that current readers may see become free once these have ended.
	s.reading.Lock()
	s.reading.Unlock() //nolint:staticcheck // acquired only to wait
	batches := uint64(0)
	defer func() { err = errors.Join(err, s.deleteFiller(context.WithoutCancel(ctx), batches)) }()
	for free := 1; free > 0; batches++ {
		if err := s.Do(ctx, func(tx *Tx) { tx.fill(batches) }); err != nil {
			return fmt.Errorf("cannot overwrite what was deleted: %w", err)
		}
		if free, err = s.freePages(); err != nil {
			return err
		}
	}
	return nil
}

// fill takes fillPages free pages and fills them with zeros.
func (tx *Tx) fill(batch uint64) {
	filler, err := tx.view.bolt.CreateBucketIfNotExists(fillerName)
	if err == nil {
		filler, err = filler.CreateBucketIfNotExists(uint64Key(batch))
	}
	if err != nil {
		tx.fail(err)
		return
	}
	filler.FillPercent = 1
	pageSize := tx.view.bolt.DB().Info().PageSize
	zeros := make([]byte, pageSize/fillPerPage-32)
	for n := range uint64(fillPages * fillPerPage) {
		if err := filler.Put(uint64Key(n), zeros); err != nil {
			tx.fail(err)
			return
		}
	}
}

// deleteFiller frees the pages again, one batch with each commit.
func (s *Store) deleteFiller(ctx context.Context, batches uint64) error {
	for batch := range batches {
		err := s.Do(ctx, func(tx *Tx) {
			if filler := tx.view.bolt.Bucket(fillerName); filler != nil {
				_ = filler.DeleteBucket(uint64Key(batch)) // a batch that was not made does not exist
			}
		})
		if err != nil {
			return err
		}
	}
	return s.Do(ctx, func(tx *Tx) {
		if err := tx.view.bolt.DeleteBucket(fillerName); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
			tx.fail(err)
		}
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

// freePages returns how many pages the last commit could have used and did not.
func (s *Store) freePages() (int, error) {
	db := s.db.Load()
	if db == nil {
		return 0, ErrClosed
	}
	return db.Stats().FreePageN, nil
}
