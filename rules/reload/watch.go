package reload

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/time/rate"
)

const (
	// settleTime is how long files may go on changing: whoever writes one, or swaps
	// the link to it, takes more than one step.
	settleTime = 100 * time.Millisecond
	// maxLinks bounds a chain of symbolic links, as Linux does.
	maxLinks = 40
)

// watcher notices that files have changed, however it is done: written in place,
// replaced by rename, or reached through a link that now leads elsewhere (as
// Kubernetes swaps ..data). So it watches folders, and compares the files.
type watcher struct {
	// changed has a value after files have changed.
	changed chan struct{}
	delay   time.Duration
	logger  *slog.Logger
	// warn throttles the warning of cannotWatch.
	warn rate.Sometimes
	// notify is nil where files cannot be watched.
	notify *fsnotify.Watcher

	mu sync.Mutex
	// files are the watched files as they were last seen; nil is a missing one.
	files   map[string]os.FileInfo
	folders []string
}

func newWatcher(delay time.Duration, logger *slog.Logger) *watcher {
	if delay == 0 {
		delay = settleTime
	}
	w := &watcher{changed: make(chan struct{}, 1), delay: delay, logger: logger, warn: rate.Sometimes{Interval: time.Minute}}
	var err error
	if w.notify, err = fsnotify.NewWatcher(); err != nil {
		w.cannotWatch(err)
	}
	return w
}

// run looks at the files shortly after something happened in their folders, until
// ctx ends.
func (w *watcher) run(ctx context.Context) {
	if w.notify == nil {
		return
	}
	defer w.notify.Close()
	var look <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-w.notify.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				w.cannotWatch(err)
			}
			look = time.After(w.delay) // events are lost
		case <-w.notify.Events:
			// The first event starts the wait, so that a folder in which something
			// always happens cannot put off the look forever.
			if look == nil {
				look = time.After(w.delay)
			}
		case <-look:
			look = nil
			w.look()
		}
	}
}

// watch replaces the watched files. It reports whether any of them was not watched
// before: such a file may have changed after it was read.
func (w *watcher) watch(paths []string) (unseen bool) {
	if w.notify == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.files
	w.files = map[string]os.FileInfo{}
	for _, path := range paths {
		w.files[path] = before[path]
	}
	w.watchFolders()
	for _, path := range paths {
		if _, seen := before[path]; !seen {
			w.files[path] = stat(path)
			unseen = true
		}
	}
	return unseen
}

// look compares the files with what they were when last seen.
func (w *watcher) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watchFolders() // a folder on the way to a file may be new
	for path, before := range w.files {
		if now := stat(path); !sameFile(before, now) {
			w.files[path] = now
			w.notifyChanged()
		}
	}
}

// watchFolders watches the folders that lead to the files, before these are looked at.
func (w *watcher) watchFolders() {
	var folders []string
	for path := range w.files {
		folders = append(folders, foldersOf(path)...)
	}
	slices.Sort(folders)
	folders = slices.Compact(folders)
	for _, folder := range w.folders {
		if !slices.Contains(folders, folder) {
			_ = w.notify.Remove(folder) // it may be gone already
		}
	}
	for _, folder := range folders {
		if err := w.notify.Add(folder); err != nil { // again, since another may have taken its place
			w.cannotWatch(err)
		}
	}
	w.folders = folders
}

func (w *watcher) notifyChanged() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *watcher) cannotWatch(err error) {
	w.warn.Do(func() {
		w.logger.Warn("cannot watch the configuration for changes; send SIGHUP after a change", "error", err)
	})
}

// foldersOf returns the folders in which something happens when the file at path
// changes: its own and, for a link, those of everything it leads to. Of a folder
// that is missing it is the nearest one above it.
func foldersOf(path string) []string {
	var folders []string
	for range maxLinks {
		folders = append(folders, nearestFolder(filepath.Dir(path)))
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		folders = append(folders, filepath.Dir(real))
	}
	return folders
}

// nearestFolder returns folder, or the nearest one above it that exists.
func nearestFolder(folder string) string {
	for {
		parent := filepath.Dir(folder)
		if _, err := os.Stat(folder); err == nil || parent == folder {
			return folder
		}
		folder = parent
	}
}

// stat follows links; it is nil for a missing file.
func stat(path string) os.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
