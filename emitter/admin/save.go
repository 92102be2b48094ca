package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// saveBackup copies the state of the process to path, which must not be there
// yet. It is there once it is whole and on disk, or not at all; only its owner
// can read it.
func (c *client) saveBackup(ctx context.Context, path string) (size int64, err error) {
	if err := mustNotExist(path); err != nil {
		return 0, err
	}
	body, err := c.open(ctx, http.MethodGet, "/backup", nil)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".unfinished-*") // mode 0600
	if err != nil {
		return 0, fmt.Errorf("cannot write the backup: %w", err)
	}
	defer os.Remove(file.Name())
	size, err = io.Copy(file, body)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return 0, fmt.Errorf("cannot finish the backup after %d bytes: %w", size, err)
	}
	if err := outbox.FinishCopy(file.Name()); err != nil {
		return 0, err
	}
	return size, publish(file.Name(), path)
}

func mustNotExist(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return fmt.Errorf("%s is there already: name a file that is not", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return fmt.Errorf("cannot write the backup: %w", err)
}

// publish gives a finished file its name, and never takes it from another: a
// link fails where a rename would replace. Not all file systems have links.
func publish(unfinished, path string) error {
	err := os.Link(unfinished, path)
	if errors.Is(err, fs.ErrExist) {
		return mustNotExist(path)
	}
	if err != nil {
		if err := mustNotExist(path); err != nil {
			return err
		}
		err = os.Rename(unfinished, path)
	}
	if err != nil {
		return fmt.Errorf("cannot give the backup its name: %w", err)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("cannot put the backup's name on disk: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}
