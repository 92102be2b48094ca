package outbox

import (
	"context"
	"errors"
	"fmt"

	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	// fillPages is how many pages one commit of Scrub overwrites.
	fillPages = 256
	// fillPerPage records fill a page, so that none needs two that lie side by side.
	fillPerPage = 8
)

// ErrBusy is what Backup and Scrub give while one of them runs.
var ErrBusy = errors.New("a backup or the erasure of a participant is under way: try again once it has ended")

// Scrub overwrites all that deleted records have left on pages of the file that
// are free, by filling them with zeros for a while. It goes on beside all else
// that is written, in small commits, and needs hardly more room than there is.
func (s *Store) Scrub(ctx context.Context) (err error) {
	if !s.exclusive.TryLock() {
		return ErrBusy
	}
	defer s.exclusive.Unlock()
	// Until those end who read before, the pages that they may read are not free.
	s.reading.Lock()
	s.reading.Unlock() //nolint:staticcheck // to have waited for them is all
	defer s.filler.Store(0)
	batches := 0
	defer func() { err = errors.Join(err, s.unfill(context.WithoutCancel(ctx), batches)) }()
	for wasFree := 1; wasFree > 0; batches++ {
		number := uint64(batches)
		if err := s.Do(ctx, func(tx *Tx) { tx.fill(number) }); err != nil {
			return fmt.Errorf("cannot overwrite what was deleted: %w", err)
		}
		if wasFree, err = s.freePages(); err != nil {
			return err
		}
	}
	return nil
}

// fill takes fillPages free pages and fills them with zeros.
func (tx *Tx) fill(number uint64) {
	filler, err := tx.bolt.CreateBucketIfNotExists(bucketFiller)
	if err == nil {
		filler, err = filler.CreateBucketIfNotExists(uint64Key(number))
	}
	if err != nil {
		tx.fail(err)
		return
	}
	filler.FillPercent = 1
	pageSize := tx.bolt.DB().Info().PageSize
	zeros := make([]byte, pageSize/fillPerPage-32)
	for n := range uint64(fillPages * fillPerPage) {
		if err := filler.Put(uint64Key(n), zeros); err != nil {
			tx.fail(err)
			return
		}
	}
	tx.filled += int64(fillPages * pageSize)
}

// unfill gives the pages back, a batch with each commit.
func (s *Store) unfill(ctx context.Context, batches int) error {
	for number := range uint64(batches) {
		err := s.Do(ctx, func(tx *Tx) {
			if filler := tx.bolt.Bucket(bucketFiller); filler != nil {
				_ = filler.DeleteBucket(uint64Key(number)) // it is not there where the batch was not made
			}
		})
		if err != nil {
			return err
		}
	}
	return s.Do(ctx, func(tx *Tx) {
		if err := tx.bolt.DeleteBucket(bucketFiller); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
			tx.fail(err)
		}
	})
}

// freePages is how many pages the last commit could have used and did not.
func (s *Store) freePages() (int, error) {
	db := s.db.Load()
	if db == nil {
		return 0, ErrClosed
	}
	return db.Stats().FreePageN, nil
}
