package check

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// tryState returns why sidehook could not write its files in dir, which it creates
// if necessary; nil if it could. It leaves nothing behind.
func tryState(dir string) error {
	for {
		info, err := os.Stat(dir)
		parent := filepath.Dir(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && parent != dir:
			dir = parent
			continue
		case err != nil:
			return reasonOf(err)
		case !info.IsDir():
			return errors.New(dir + " is not a directory")
		}
		break
	}
	file, err := os.CreateTemp(dir, ".sidehook-check-*")
	if err != nil {
		return reasonOf(err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// reasonOf returns the error of an operation on a file, without the file's name.
func reasonOf(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
