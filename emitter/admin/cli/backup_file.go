package cli

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

// saveBackup copies the state to path, which must not exist. The file appears
// there complete and on disk, or not at all. Only its owner can read it.
func (c *client) saveBackup(ctx context.Context, path string) (size int64, err error) {
	if err := mustNotExist(path); err != nil {
		return 0, err
	}
	file, size, err := c.fetchBackup(ctx, filepath.Dir(path), filepath.Base(path)+".unfinished-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file)
	return size, publish(file, path)
}

// fetchBackup copies the state to a new file in a folder. The caller removes it. If
// there can be no file, the server is not asked: it would copy everything in vain, and
// be busy with that for longer than the command runs.
func (c *client) fetchBackup(ctx context.Context, folder, pattern string) (path string, size int64, err error) {
	file, err := os.CreateTemp(folder, pattern) // mode 0600
	if err != nil {
		return "", 0, fmt.Errorf("cannot write the backup: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	if size, err = c.downloadBackup(ctx, file); err != nil {
		return "", 0, err
	}
	return file.Name(), size, outbox.FinishCopy(file.Name())
}

// downloadBackup fills a file with what the server sends, syncs and closes it.
func (c *client) downloadBackup(ctx context.Context, file *os.File) (size int64, err error) {
	body, err := c.open(ctx, http.MethodGet, "/backup", nil)
	if err != nil {
		file.Close()
		return 0, err
	}
	defer body.Close()
	size, err = io.Copy(file, body)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return 0, fmt.Errorf("cannot finish the backup after %d bytes: %w", size, err)
	}
	return size, nil
}

func mustNotExist(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return fmt.Errorf("%s exists already: name a new file", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return fmt.Errorf("cannot write the backup: %w", err)
}

// publish gives a finished file its name without ever replacing another file: a
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
		return fmt.Errorf("cannot name the backup: %w", err)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("cannot sync the backup's folder: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}
