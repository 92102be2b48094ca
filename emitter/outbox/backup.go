package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// errStopping ends a backup that would keep the store from closing.
var errStopping = errors.New("sidehook is stopping")

// Backup writes a consistent copy of the state, of what is in use only. It is made
// in the state directory first, which needs as much space. begin is called with
// the size of the copy in bytes and returns where to write it. The store keeps
// working meanwhile; pages freed meanwhile stay unused, so the file may grow by
// what is written until the copy is complete. The copy is not a state file until
// FinishCopy has made it one.
//
// Backup returns ErrBusy while another Backup or a Scrub runs. It ends with ctx,
// but a write that blocks needs a deadline of its own.
func (s *Store) Backup(ctx context.Context, begin func(size int64) io.Writer) (err error) {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.exclusive.Unlock()
	e := s.engine.Load()
	if e == nil {
		return ErrClosed
	}
	defer guard(&err)()
	path := filepath.Join(s.options.Dir, fileName+copySuffix)
	copied, err := e.copyTo(path, ending{ctx, s.closing})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB(copied), removeFile(path)) }()
	return copied.View(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(&backupWriter{to: begin(tx.Size()), until: ending{ctx, s.closing}})
		return err
	})
}

// ending is when a backup must end: with its context, or before the store closes.
type ending struct {
	ctx     context.Context
	closing <-chan struct{}
}

// err returns why the backup must end, nil while it may go on.
func (e ending) err() error {
	select {
	case <-e.closing:
		return errStopping
	default:
		return e.ctx.Err()
	}
}

// backupWriter writes until the backup must end.
type backupWriter struct {
	to    io.Writer
	until ending
}

func (w *backupWriter) Write(p []byte) (int, error) {
	if err := w.until.err(); err != nil {
		return 0, err
	}
	return w.to.Write(p)
}

// FinishCopy turns what Backup wrote to path into a state file and syncs it to
// disk. The original goes on to mint ids that the copy must not mint for other
// events, so the copy draws a new epoch when it is first opened. FinishCopy fails
// for a file that is not a state file or is of a newer release.
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
		meta := tx.Bucket(bucketMeta.name())
		if meta == nil || formatOf(meta) == 0 {
			return errors.New("the copy is not a state file")
		}
		if n := formatOf(meta); n > currentFormat() {
			return fmt.Errorf("the copy has format %d, of a newer release, and this one knows up to %d: use the same release as the running sidehook", n, currentFormat())
		}
		if formatOf(meta) == 1 { // of an earlier release, without seals
			id := readIdentity(meta.Get)
			return errors.Join(meta.Put(keySalt, []byte(id.salt)), meta.Delete(keyEpoch))
		}
		id := identityOf(meta)
		err := putMeta(meta, keySalt, []byte(id.salt))
		for _, key := range [][]byte{keyEpoch, keyPosition, keyApplied, keyPredecessor, keyLost, keyErase, keyScrubbed} {
			err = errors.Join(err, meta.Delete(key))
		}
		return err
	})
}
