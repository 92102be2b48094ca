package outbox

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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
	// lockTimeout is how long one attempt to open the file waits for bbolt's own lock.
	lockTimeout = 100 * time.Millisecond
	// mapSize is how far a file can grow without remapping: 64 GiB, 64 MiB on 32-bit platforms.
	mapSize = 1 << (26 + 10*(^uint(0)>>63))
	// growth is how many bytes a file grows by when it is too small.
	growth = 1 << 20
)

// errInUse is what a second process gets.
var errInUse = errors.New("another process uses it; stop that one, or give this one a state directory of its own")

// open locks the state directory and opens the state file, which is created if
// it does not exist, and the journal.
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
	db, isRescued, err := openFile(filepath.Join(w.store.options.Dir, fileName), w.store.log)
	if err != nil {
		return err
	}
	upTo, err := prepare(db)
	if err != nil {
		return errors.Join(err, closeDB(db))
	}
	j := &journal{disk: w.store.disk, dir: w.store.options.Dir, limit: w.store.segmentSize}
	if w.engine, err = openEngine(db, j, upTo, w.store); err != nil {
		return errors.Join(err, closeDB(db))
	}
	w.engine.mustAudit = w.engine.mustAudit || isRescued
	if err = w.enrol(); err != nil {
		return errors.Join(err, w.engine.close())
	}
	if w.identity, err = w.engine.identity(); err != nil {
		return errors.Join(err, w.engine.close())
	}
	w.store.engine.Store(w.engine)
	return nil
}

// lockDir locks the directory until the returned file is closed or the process ends.
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

// openFile opens the state file. A new one is completed under another name
// first, so that a crash leaves no half of it. isRescued reports that pages of the
// file were damaged, and what they had is lost.
func openFile(path string, log *slog.Logger) (db *bolt.DB, isRescued bool, err error) {
	err = errors.Join(removeFile(path+copySuffix), finishReplacing(filepath.Dir(path))) // of what was interrupted
	if err != nil {
		return nil, false, err
	}
	_, err = os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = createFile(path)
	case err == nil:
		if err = inspect(path); isDamaged(err) {
			err, isRescued = rescue(path, err, log), true
		}
	}
	if err != nil {
		return nil, false, err
	}
	db, err = openDB(path)
	return db, isRescued, err
}

func createFile(path string) error {
	unfinished := path + ".new"
	if err := removeFile(unfinished); err != nil {
		return err
	}
	db, err := openDB(unfinished)
	if err != nil {
		return err
	}
	_, err = prepare(db)
	if err = errors.Join(err, closeDB(db)); err != nil {
		return err
	}
	if err := os.Rename(unfinished, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func openDB(path string) (db *bolt.DB, err error) {
	defer guard(&err)()
	options := &bolt.Options{
		Timeout: lockTimeout,
		// Otherwise each commit would write the whole list of free pages, which is long
		// after a backlog was drained. Opening the file finds them again.
		NoFreelistSync: true,
		FreelistType:   bolt.FreelistMapType,
		// This reserves addresses, not memory: a file that outgrows them waits for all
		// readers, and a backup reads for long.
		InitialMmapSize: mapSize,
	}
	db, err = bolt.Open(path, 0o600, options)
	if errors.Is(err, syscall.ENOMEM) { // the address space is limited
		options.InitialMmapSize = 0
		db, err = bolt.Open(path, 0o600, options)
	}
	if err == nil {
		db.AllocSize = growth
	}
	return db, err
}

// closeDB closes a file, even one that cannot be read.
func closeDB(db *bolt.DB) (err error) {
	defer guard(&err)()
	return db.Close()
}

// removeFile deletes a file, if it exists.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncDir makes a rename durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// explain adds what to do about an error of the file or the file system.
func explain(err error) error {
	switch {
	case errors.Is(err, errPages):
		return err
	case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, bolterrors.ErrTimeout):
		return errInUse
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("user %d must be able to write it; change its owner (chown), set fsGroup: %d in the pod's securityContext, or choose another directory with the key state: %w",
			os.Geteuid(), os.Getegid(), err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("it must be writable; mount a volume there, or choose another directory with the key state: %w", err)
	case isDamaged(err):
		return fmt.Errorf("%s is damaged, and too little of it can be read: put a backup in its place, or move it away to begin a new one: %w", fileName, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk is full; free some space, or give the directory a larger volume: %w", err)
	}
	return err
}

// isDamaged reports whether the file cannot be what was written.
func isDamaged(err error) bool {
	if err == nil {
		return false
	}
	for _, damage := range []error{errCorrupt, bolterrors.ErrInvalid, bolterrors.ErrChecksum, bolterrors.ErrVersionMismatch} {
		if errors.Is(err, damage) {
			return true
		}
	}
	return strings.Contains(err.Error(), "file size too small") // bbolt has no value for this error
}
