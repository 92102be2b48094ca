package outbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/s2"
	bolt "go.etcd.io/bbolt"
)

var (
	// errSnapshot is the error of a snapshot that is not what was saved.
	errSnapshot = errors.New("the snapshot is damaged")
	// errFound ends a search in the log.
	errFound = errors.New("found")
)

// fetchSnapshot reads a snapshot into a file and checks that it is one. known is
// what the log says about it; its sum is zero if that is nothing.
func fetchSnapshot(ctx context.Context, log Log, known snapshot, path string) (err error) {
	transfer := watch(ctx)
	defer transfer.end()
	in, err := log.Open(transfer.ctx, known.name.text)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	digest := sha256.New()
	source := watchedReader{s2.NewReader(in), transfer}
	size, err := io.Copy(io.MultiWriter(file, digest), source)
	if isTorn(err) {
		err = fmt.Errorf("%w: %w", errSnapshot, err)
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	isKnown := known.sum != [sha256.Size]byte{}
	if isKnown && (size != known.size || [sha256.Size]byte(digest.Sum(nil)) != known.sum) {
		return fmt.Errorf("%w: it is not the one that the log names", errSnapshot)
	}
	return checkSnapshot(path, known.name)
}

// isTorn reports whether a stream is not what streamOf has compressed.
func isTorn(err error) bool {
	return errors.Is(err, s2.ErrCorrupt) || errors.Is(err, s2.ErrCRC) || errors.Is(err, s2.ErrUnsupported) || errors.Is(err, io.ErrUnexpectedEOF)
}

// checkSnapshot returns an error if a file is not the state file of that name, or a
// newer release has written it.
func checkSnapshot(path string, name snapshotName) (err error) {
	if err := inspect(path); err != nil {
		return fmt.Errorf("%w: %w", errSnapshot, err)
	}
	defer guard(&err)()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB(db)) }()
	return db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta.name())
		if meta == nil || formatOf(meta) == 0 {
			return fmt.Errorf("%w: it is not a state file", errSnapshot)
		}
		if n := formatOf(meta); n > currentFormat() {
			return fmt.Errorf("%w: the snapshot has format %d, and this release knows up to %d", ErrNewer, n, currentFormat())
		}
		at, ok := decodePlace(getMeta(meta, keyApplied))
		if !ok || at.log != name.log || at.index != name.index || at.number != name.number {
			return fmt.Errorf("%w: it has other entries than its name says", errSnapshot)
		}
		return nil
	})
}

// knownSnapshot looks for what the log says about a snapshot, up to its last entry.
func knownSnapshot(ctx context.Context, log Log, name snapshotName, last uint64) (known snapshot, err error) {
	known.name = name
	if name.number >= last {
		return known, nil
	}
	reading := watch(ctx)
	defer reading.end()
	err = log.Written(reading.ctx, name.number, func(number uint64, encoded []byte) error {
		e, err := decodeEntry(encoded)
		if err = errors.Join(err, reading.made()); err != nil {
			return err
		}
		if s, ok := decodeSnapshot(e.data); ok && e.kind == entrySnapshot && s.name == name {
			known = s
			return errFound
		}
		if number >= last {
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return known, err
}

// loadSnapshot puts a snapshot in the place of the state file, which is closed then.
func (w *writer) loadSnapshot(ctx context.Context, name snapshotName, last uint64) error {
	if !w.store.exclusive.TryLock() {
		return ErrBusy
	}
	defer w.store.exclusive.Unlock()
	known, err := knownSnapshot(ctx, w.replication.log, name, last)
	if err != nil {
		return fmt.Errorf("%w: %w", errLog, err)
	}
	by := replacing{w.store.options.Dir}
	if err := fetchSnapshot(ctx, w.replication.log, known, by.path(loadedSuffix)); err != nil {
		return errors.Join(err, removeFile(by.path(loadedSuffix)))
	}
	w.close()
	w.dropProposal() // nobody will read whether it was made
	if err := by.run(); err != nil {
		return fmt.Errorf("cannot put a snapshot in the place of the state file: %w", explain(err))
	}
	w.store.log.Info("loaded a snapshot in the place of the state file", "snapshot", name.text)
	return nil
}
