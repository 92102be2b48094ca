package probe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/sidehook/sidehook/rules/check"
)

// probeSize is how many bytes are written to try the state directory.
const probeSize = 64 << 10

// state is tryState, unless that takes until ctx ends: a disk that hangs cannot be
// interrupted, and is left behind by a process that is about to end.
func state(ctx context.Context, dir string) check.Finding {
	tried := make(chan check.Finding, 1)
	go func() { tried <- tryState(dir) }()
	select {
	case finding := <-tried:
		return finding
	case <-ctx.Done():
		return bad("state "+dir, "the disk does not answer", "give it a directory on a disk that does")
	}
}

// tryState writes a file to the state directory, or where it would be created, and
// syncs it. The store, which a running sidehook may own, is not touched.
func tryState(dir string) check.Finding {
	what := "state " + dir
	at, isNew, err := existing(dir)
	if err == nil {
		err = write(at)
	}
	switch {
	case err != nil:
		return bad(what, fmt.Sprintf("user %d cannot write there: %v", os.Geteuid(), reasonOf(err)), "give it a directory that this user owns, with free space")
	case isNew:
		return good(what, "it will be created")
	case isLocked(at):
		return doubtful(what, "writable and synced, but a running sidehook owns it", "two cannot share a state: the second would not record")
	}
	return good(what, "written and synced")
}

// existing returns dir, or the nearest folder above it that exists.
func existing(dir string) (at string, isNew bool, err error) {
	for at = dir; ; at, isNew = filepath.Dir(at), true {
		info, err := os.Stat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) && filepath.Dir(at) != at:
			continue
		case err != nil:
			return at, isNew, err
		case !info.IsDir():
			return at, isNew, errors.New(at + " is not a directory")
		}
		return at, isNew, nil
	}
}

func write(dir string) error {
	file, err := os.CreateTemp(dir, ".sidehook-probe-*")
	if err != nil {
		return err
	}
	_, err = file.Write(make([]byte, probeSize))
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close(), os.Remove(file.Name()))
}

// isLocked reports whether a process holds the lock of the store. A shared lock is
// taken for a moment: a sidehook that starts just then tries again.
func isLocked(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// reasonOf returns the error of an operation on a file, without the file's name.
func reasonOf(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
