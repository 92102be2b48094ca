package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"

	bolt "go.etcd.io/bbolt"
)

// errStopping ends a backup that would keep the store from closing.
var errStopping = errors.New("sidehook is stopping")

// Backup gives the state file as it is at one moment: begin is called with its
// size in bytes and returns where to write it. Participants and targets are
// served meanwhile; pages that are freed meanwhile stay unused, so the file may
// grow by what is written until the end of the copy. What is written is no
// state file yet: FinishCopy makes it one.
//
// It gives ErrBusy while another one runs. It ends with ctx, but a write that
// blocks must have a deadline of its own.
func (s *Store) Backup(ctx context.Context, begin func(size int64) io.Writer) (err error) {
	if !s.exclusive.TryLock() {
		return ErrBusy
	}
	defer s.exclusive.Unlock()
	db := s.db.Load()
	if db == nil {
		return ErrClosed
	}
	defer guard(&err)()
	return db.View(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(&copying{to: begin(tx.Size()), ctx: ctx, closing: s.closing})
		return err
	})
}

// copying writes until its time is over.
type copying struct {
	to      io.Writer
	ctx     context.Context
	closing <-chan struct{}
}

func (c *copying) Write(p []byte) (int, error) {
	select {
	case <-c.closing:
		return 0, errStopping
	case <-c.ctx.Done():
		return 0, c.ctx.Err()
	default:
		return c.to.Write(p)
	}
}

// FinishCopy makes a state file of what Backup wrote to path, and puts it on
// disk. Ids that the original gives after the backup must not be given again
// for other events, so a copy draws another epoch whenever it is used. It fails
// for what is no state file, or is one of a newer release.
func FinishCopy(path string) (err error) {
	if err := inspect(path); err != nil {
		return fmt.Errorf("cannot open the copy: %w", err)
	}
	db, err := openDB(path)
	if err != nil {
		return fmt.Errorf("cannot open the copy: %w", err)
	}
	defer func() { err = errors.Join(err, closeDB(db)) }()
	defer guard(&err)()
	return db.Update(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil || formatOf(meta) == 0 {
			return errors.New("the copy is no state file")
		}
		if n := formatOf(meta); n > currentFormat() {
			return fmt.Errorf("the copy has format %d, of a newer release, and this one knows up to %d: use the same release as the sidehook that runs", n, currentFormat())
		}
		of := readIdentity(meta)
		return errors.Join(meta.Put(keySalt, []byte(of.salt)), meta.Delete(keyEpoch))
	})
}
