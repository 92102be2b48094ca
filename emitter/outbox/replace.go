package outbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	// loadedSuffix is the end of the name of a snapshot that is not complete, or does
	// not replace the state file yet.
	loadedSuffix = ".loaded"
	// replacedSuffix is the end of the name of a state file that was replaced.
	replacedSuffix = ".replaced"
	// overwriteAtOnce is how many bytes are overwritten with one write.
	overwriteAtOnce = 1 << 20
)

// replacing puts a loaded snapshot in the place of a closed state file and its
// journal, and overwrites and deletes these:
//
//	outbox.db         old ──────────────────► new
//	outbox.db.loaded  new ───── renamed ──────┘
//	                       link              overwritten
//	outbox.db.replaced      └─ old ──────────► gone
//
// There is one whole state file after each step. What is left to be done after a
// crash or a failure is done by finishReplacing.
type replacing struct{ dir string }

func (r replacing) path(suffix string) string { return filepath.Join(r.dir, fileName+suffix) }

// steps returns all steps, in their order.
func (r replacing) steps() []func() error {
	return []func() error{r.keepOld, r.rename, r.dropJournal, r.dropOld}
}

func (r replacing) run() error {
	for _, step := range r.steps() {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// keepOld gives the old file a second name, to overwrite it later.
func (r replacing) keepOld() error {
	err := os.Link(r.path(""), r.path(replacedSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncDir(r.dir))
}

func (r replacing) rename() error {
	return errors.Join(os.Rename(r.path(loadedSuffix), r.path("")), syncDir(r.dir))
}

// dropJournal deletes the journal of the old file, and what was set aside as damaged.
func (r replacing) dropJournal() (err error) {
	j := journal{dir: r.dir}
	for n := range uint64(len(j.files)) {
		err = errors.Join(err, overwriteFile(j.path(n)), overwriteFile(j.path(n)+asideSuffix))
	}
	return errors.Join(err, overwriteFile(r.path(asideSuffix)))
}

func (r replacing) dropOld() error {
	return errors.Join(overwriteFile(r.path(replacedSuffix)), syncDir(r.dir))
}

// finishReplacing does what is left of replacing, while the state file is not open,
// and deletes a snapshot that was not put in its place.
func finishReplacing(dir string) error {
	r := replacing{dir}
	if err := removeFile(r.path(loadedSuffix)); err != nil {
		return err
	}
	old, err := os.Stat(r.path(replacedSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	current, err := os.Stat(r.path(""))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if isNotReplaced := err == nil && os.SameFile(old, current); isNotReplaced {
		return removeFile(r.path(replacedSuffix))
	}
	return errors.Join(r.dropJournal(), r.dropOld())
}

// overwriteFile overwrites a file with zeros, if it exists, and deletes it.
func overwriteFile(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	zeros := make([]byte, min(overwriteAtOnce, info.Size()))
	for at := int64(0); at < info.Size() && err == nil; at += int64(len(zeros)) {
		_, err = f.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-at)], at)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Remove(path)
}
