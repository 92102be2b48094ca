package outbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	fileName = "outbox.db"
	// lockTimeout is how long an attempt to open waits for bbolt's own lock.
	lockTimeout = 100 * time.Millisecond
	// mapSize is how far a file can grow without waiting: 64 GiB, 64 MiB on 32 bits.
	mapSize = 1 << (26 + 10*(^uint(0)>>63))
	// growth is by how much a file grows that is too small, in bytes.
	growth = 1 << 20
)

// migrations[n] turns format n+1 into format n+2. A file of an older format goes
// through them, one after the other, when it is opened.
var migrations []func(*bolt.Tx) error

// currentFormat is what this release writes.
func currentFormat() uint64 { return uint64(len(migrations)) + 1 }

var keyFormat = []byte("format")

// errInUse is what a second process gets.
var errInUse = errors.New("another process uses it; stop that one, or give this one a state directory of its own")

// open opens the state file, which it makes when there is none.
func (w *writer) open() (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot open the state directory %s: %w", w.store.options.Dir, explain(err))
		}
	}()
	if w.lock == nil {
		if w.lock, err = lockDir(w.store.options.Dir); err != nil {
			return err
		}
	}
	db, err := openFile(filepath.Join(w.store.options.Dir, fileName))
	if err != nil {
		return err
	}
	if w.drawn, err = prepare(db); err != nil {
		return errors.Join(err, closeDB(db))
	}
	w.db = db
	w.store.db.Store(db)
	return nil
}

// lockDir makes the directory this process' own until the file is closed.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// openFile opens a file that is there, or makes one that is whole from the
// first moment on: a new file gets its name once it is complete.
func openFile(path string) (*bolt.DB, error) {
	if _, err := os.Stat(path); err == nil {
		if err := inspect(path); err != nil {
			return nil, err
		}
		return openDB(path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	unfinished := path + ".new"
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	db, err := openDB(unfinished)
	if err != nil {
		return nil, err
	}
	_, err = prepare(db)
	if err = errors.Join(err, closeDB(db)); err != nil {
		return nil, err
	}
	if err := os.Rename(unfinished, path); err != nil {
		return nil, err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return openDB(path)
}

func openDB(path string) (db *bolt.DB, err error) {
	defer guard(&err)()
	options := &bolt.Options{
		Timeout: lockTimeout,
		// A commit would write the whole list of free pages, which is long after a
		// backlog was drained; it is found again when the file is opened.
		NoFreelistSync: true,
		FreelistType:   bolt.FreelistMapType,
		// Addresses, not memory: a file that outgrows them has to wait for whoever
		// reads, and a backup reads for long.
		InitialMmapSize: mapSize,
	}
	db, err = bolt.Open(path, 0o600, options)
	if errors.Is(err, syscall.ENOMEM) { // somebody has limited the addresses
		options.InitialMmapSize = 0
		db, err = bolt.Open(path, 0o600, options)
	}
	if err == nil {
		db.AllocSize = growth
	}
	return db, err
}

// closeDB closes a file, even one that can't be read.
func closeDB(db *bolt.DB) (err error) {
	defer guard(&err)()
	return db.Close()
}

// prepare brings a file to this release's format and returns its identity.
func prepare(db *bolt.DB) (of identity, err error) {
	defer guard(&err)()
	err = db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta != nil && formatOf(meta) == currentFormat() && tx.Bucket(bucketFiller) == nil {
			of = readIdentity(meta)
		}
		return nil
	})
	if err == nil && of.epoch == "" {
		err = db.Update(func(tx *bolt.Tx) (err error) {
			of, err = complete(tx)
			return err
		})
	}
	if err != nil {
		return identity{}, err
	}
	// What of the file is free is known only after a transaction that could write.
	tx, err := db.Begin(true)
	if err != nil {
		return identity{}, err
	}
	return of, tx.Rollback()
}

// complete fills a new file, migrates an old one, gives a copy an epoch of its
// own, and removes what a Scrub left that was cut short.
func complete(tx *bolt.Tx) (of identity, err error) {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		err = initialise(tx)
	} else {
		err = migrate(tx, meta)
	}
	if err == nil && tx.Bucket(bucketFiller) != nil {
		err = tx.DeleteBucket(bucketFiller)
	}
	if err != nil {
		return identity{}, err
	}
	if of = readIdentity(tx.Bucket(bucketMeta)); of.epoch != "" {
		return of, nil
	}
	return drawEpoch(tx.Bucket(bucketMeta))
}

// initialise fills a new file.
func initialise(tx *bolt.Tx) error {
	if first, _ := tx.Cursor().First(); first != nil {
		return fmt.Errorf("%s is not a file of ours: move it away", fileName)
	}
	for _, name := range buckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return setFormat(tx.Bucket(bucketMeta), currentFormat())
}

func migrate(tx *bolt.Tx, meta *bolt.Bucket) error {
	from, to := formatOf(meta), currentFormat()
	if from == 0 || from > to {
		return fmt.Errorf("%s has format %d, from a newer release, and this one knows up to %d: use that release, or move the file away", fileName, from, to)
	}
	for _, step := range migrations[from-1:] {
		if err := step(tx); err != nil {
			return fmt.Errorf("cannot migrate %s from format %d to %d: %w", fileName, from, to, err)
		}
	}
	return setFormat(meta, to)
}

func formatOf(meta *bolt.Bucket) uint64 {
	if record := meta.Get(keyFormat); len(record) == 8 {
		return binary.BigEndian.Uint64(record)
	}
	return 0
}

func setFormat(meta *bolt.Bucket, n uint64) error { return meta.Put(keyFormat, uint64Key(n)) }

// syncDir makes a rename durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// isDamaged tells whether the file can't be what was written. What is shorter
// than it must be has an error of its own that has no name.
func isDamaged(err error) bool {
	for _, damage := range []error{errCorrupt, bolterrors.ErrInvalid, bolterrors.ErrChecksum, bolterrors.ErrVersionMismatch} {
		if errors.Is(err, damage) {
			return true
		}
	}
	return strings.Contains(err.Error(), "file size too small")
}

// explain says what to do about an error of the file system.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, bolterrors.ErrTimeout):
		return errInUse
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("it must be writable: %w", err)
	case isDamaged(err):
		return fmt.Errorf("%s is damaged: put a backup in its place, or move it away to begin a new one: %w", fileName, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk is full: %w", err)
	}
	return err
}
