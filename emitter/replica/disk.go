package replica

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// errLocked is the error of a file that another process has open.
var errLocked = errors.New("another process uses it")

// disk holds the spill files of a directory. Tests replace it to let it fail.
type disk interface {
	// open opens a file to read and write, locks it until it is closed, and creates it if
	// it does not exist. It returns errLocked if another process has locked it.
	open(name string) (file, error)
	remove(name string) error
	// names returns those of the files that begin with prefix.
	names(prefix string) ([]string, error)
	// sync makes the names of the files durable.
	sync() error
}

// file is a spill file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	// Sync makes the content and the size durable.
	Sync() error
	size() (int64, error)
}

// osDisk is a directory of the operating system, which need not exist.
type osDisk string

func (d osDisk) open(name string) (file, error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(string(d), name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return osFile{f}, nil
}

func (d osDisk) remove(name string) error {
	err := os.Remove(filepath.Join(string(d), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (d osDisk) names(prefix string) (names []string, err error) {
	entries, err := os.ReadDir(string(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), prefix) {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

func (d osDisk) sync() error {
	dir, err := os.Open(string(d))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

type osFile struct{ *os.File }

func (f osFile) size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
