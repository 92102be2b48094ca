package outbox

import (
	"io"
	"os"
)

// disk holds the files of the journal. Tests replace it to lose what was not synced.
type disk interface {
	// open opens a file to read and write, and creates it if it does not exist.
	open(path string) (file, error)
	// remove deletes a file, if it exists.
	remove(path string) error
	rename(from, to string) error
	// syncDir makes the creation and the names of the files of a directory durable.
	syncDir(dir string) error
}

// file is a file of the journal.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	size() (int64, error)
	// sync makes the content durable, and the size if it has grown.
	sync() error
}

// osDisk is the disk of the operating system.
type osDisk struct{}

func (osDisk) open(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osDisk) remove(path string) error { return removeFile(path) }

func (osDisk) rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) syncDir(dir string) error { return syncDir(dir) }

type osFile struct{ *os.File }

func (f osFile) size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f osFile) sync() error { return syncData(f.File) }
