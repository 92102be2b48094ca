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
)

// settleTime is how long files may go on changing: whoever writes one, or swaps
// the link to it, takes more than one step.
const settleTime = 100 * time.Millisecond

// watcher tells when files have changed, however that is done: written in place,
// replaced by another of the name, or reached by a link that leads elsewhere now
// (as Kubernetes swaps ..data). So it watches folders, and compares the files.
type watcher struct {
	// changed has a value after files have changed.
	changed chan struct{}
	delay   time.Duration
	logger  *slog.Logger
	// notify is nil where files can't be watched.
	notify *fsnotify.Watcher

	mu sync.Mutex
	// files are what is watched, as they were at the last look; nil is a missing one.
	files   map[string]os.FileInfo
	folders []string
}

func newWatcher(delay time.Duration, logger *slog.Logger) *watcher {
	if delay == 0 {
		delay = settleTime
	}
	w := &watcher{changed: make(chan struct{}, 1), delay: delay, logger: logger}
	var err error
	if w.notify, err = fsnotify.NewWatcher(); err != nil {
		w.cannotWatch(err)
	}
	return w
}

// run looks at the files a little after something happened in their folders,
// until ctx ends.
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
			// The first event starts the wait, so that a folder where something
			// always happens can't put off the look for ever.
			if look == nil {
				look = time.After(w.delay)
			}
		case <-look:
			look = nil
			w.look()
		}
	}
}

// watch makes these the files. What wasn't among them counts as changed: nobody
// knows whether it is still what was read.
func (w *watcher) watch(paths []string) {
	if w.notify == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	folders := foldersOf(paths)
	for _, folder := range w.folders {
		if !slices.Contains(folders, folder) {
			_ = w.notify.Remove(folder) // it may be gone by itself
		}
	}
	for _, folder := range folders {
		if err := w.notify.Add(folder); err != nil { // again, as one of the same name may have taken its place
			w.cannotWatch(err)
		}
	}
	w.folders = folders
	before := w.files
	w.files = map[string]os.FileInfo{}
	for _, path := range paths {
		seen, known := before[path]
		w.files[path] = seen
		if !known {
			w.files[path] = stat(path)
			w.say()
		}
	}
}

// look compares the files with what they were at the last look.
func (w *watcher) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for path, before := range w.files {
		now := stat(path)
		if !sameFile(before, now) {
			w.files[path] = now
			w.say()
		}
	}
}

func (w *watcher) say() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *watcher) cannotWatch(err error) {
	w.logger.Warn("cannot watch the configuration for changes; send SIGHUP after one", "error", err)
}

// foldersOf gives the folders of the files and of what links lead to.
func foldersOf(paths []string) []string {
	var folders []string
	for _, path := range paths {
		folders = append(folders, filepath.Dir(path))
		if real, err := filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(real))
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

// stat follows links; nil for what is not there.
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
