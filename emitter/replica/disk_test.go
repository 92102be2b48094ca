package replica

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
)

var errSimulated = errors.New("simulated failure of the disk")

// testDisk is a disk in memory that can fail, and be left by its process at any time.
type testDisk struct {
	mu    sync.Mutex
	files map[string]*testFile
	// isFailing lets all writes fail.
	isFailing bool
}

func newTestDisk(content map[string][]byte) *testDisk {
	d := &testDisk{files: map[string]*testFile{}}
	for name, c := range content {
		d.files[name] = &testFile{disk: d, content: bytes.Clone(c), synced: bytes.Clone(c), dirty: len(c)}
	}
	return d
}

// image returns what a power loss leaves: of each file what was synced, and as many
// bytes of what was not as torn returns of their number.
func (d *testDisk) image(torn func(unsynced int) int) map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	image := map[string][]byte{}
	for name, f := range d.files {
		kept := bytes.Clone(f.synced)
		if n := len(f.content) - len(f.synced); n > 0 {
			kept = append(kept, f.content[len(kept):][:torn(n)]...)
		}
		image[name] = kept
	}
	return image
}

func (d *testDisk) fail(isFailing bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.isFailing = isFailing
}

// write calls fn, unless the disk fails.
func (d *testDisk) write(fn func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isFailing {
		return errSimulated
	}
	fn()
	return nil
}

func (d *testDisk) open(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	switch {
	case f == nil && d.isFailing:
		return nil, errSimulated
	case f == nil:
		f = &testFile{disk: d}
		d.files[name] = f
	case f.isLocked:
		return nil, errLocked
	}
	f.isLocked = true
	return f, nil
}

func (d *testDisk) remove(name string) error { return d.write(func() { delete(d.files, name) }) }

func (d *testDisk) names(prefix string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := slices.Sorted(maps.Keys(d.files))
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, prefix) }), nil
}

func (d *testDisk) sync() error { return d.write(func() {}) }

type testFile struct {
	disk            *testDisk
	content, synced []byte
	// dirty is where what was not synced begins.
	dirty    int
	isLocked bool
}

func (f *testFile) ReadAt(to []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return bytes.NewReader(f.content).ReadAt(to, at)
}

func (f *testFile) WriteAt(from []byte, at int64) (n int, err error) {
	err = f.disk.write(func() {
		f.content = append(f.content, make([]byte, max(0, int(at)+len(from)-len(f.content)))...)
		n = copy(f.content[at:], from)
		f.dirty = min(f.dirty, int(at))
	})
	return n, err
}

func (f *testFile) Truncate(size int64) error {
	return f.disk.write(func() { f.content, f.dirty = f.content[:size], min(f.dirty, int(size)) })
}

func (f *testFile) Sync() error {
	return f.disk.write(func() {
		from := min(f.dirty, len(f.synced), len(f.content))
		f.synced, f.dirty = append(f.synced[:from], f.content[from:]...), len(f.content)
	})
}

func (f *testFile) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.isLocked = false
	return nil
}

func (f *testFile) size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.content)), nil
}
