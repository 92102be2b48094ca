package outbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/funnel"
)

var powerLosses = flag.Int("power-losses", 4, "random runs of TestPowerLossKeepsWhatWasAcknowledged, each of several power losses")

const (
	// lives is how often the power fails in one run.
	lives = 8
	// failingOps is in how many operations of the journal's disk one fails.
	failingOps = 150
)

var errSimulated = errors.New("simulated failure of the disk")

// Whenever the power fails, and whatever the disk has kept of what was not
// synced, a store holds what it held after the last acknowledged change, or with
// the change after that.
func TestPowerLossKeepsWhatWasAcknowledged(t *testing.T) {
	for seed := range uint64(*powerLosses) {
		t.Run(fmt.Sprint("run ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 13))
			image := crashImage{}
			var possible []string
			for life := range lives {
				image, possible = liveUntilPowerLoss(t, random, life, image, possible)
			}
		})
	}
}

// crashImage is what a power loss has left: the journal's files and the state file.
type crashImage struct {
	journal files
	state   []byte
}

// liveUntilPowerLoss opens what the last power loss has left, which must be one
// of the possible states, and changes it until the power fails again.
func liveUntilPowerLoss(t *testing.T, random *rand.Rand, life int, image crashImage, possible []string) (crashImage, []string) {
	t.Helper()
	dir := t.TempDir()
	if image.state != nil {
		if err := os.WriteFile(filepath.Join(dir, fileName), image.state, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newStore(t, dir, config.Retention{})
	disk := newTornDisk(s, random, image.journal)
	s.disk, s.segmentSize, s.applyAtOnce = disk, 3<<10, 8
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() { cancel(); <-ended }()

	waitOpen(t, s)
	states := []string{digest(t, s)}
	if isKnown := len(possible) == 0 || bytes.Contains([]byte(fmt.Sprint(possible)), []byte(states[0])); !isKnown {
		t.Fatalf("life %d begins with a state that is neither that after the last acknowledged change nor the next", life)
	}
	for n := 0; !disk.isCut(); n++ {
		do(t, s, someChange(random, fmt.Sprint(life, "-", n)))
		states = append(states, digest(t, s))
		disk.acknowledged.Add(1)
	}
	cut := disk.image
	last := int(disk.acknowledgedAtCut)
	return cut, states[last:min(last+2, len(states))]
}

// someChange makes a random change; name is unique.
func someChange(random *rand.Rand, name string) func(*Tx) {
	kind, lane, seq, size := random.IntN(8), fmt.Sprint(random.IntN(3)), uint64(random.IntN(30)), random.IntN(2000)
	return func(tx *Tx) {
		tx.Count(Count{What: funnel.Reached, Survey: SurveyNames{ID: lane}, Page: &CountedPage{ID: fmt.Sprint(seq)}, At: at(0), Took: new(time.Duration(size))})
		switch kind {
		case 0, 1, 2:
			d := delivery(lane, 0)
			d.ID, d.Body = name, bytes.Repeat([]byte("x"), size)
			tx.Enqueue(d)
		case 3:
			tx.Delivered(seq, Attempt{At: at(1), Status: 200})
		case 4:
			tx.Dead(seq, Attempt{At: at(1), Status: 500})
		case 5:
			tx.PutJourney("3\x00"+lane, bytes.Repeat([]byte("j"), size), seen(at(int(seq)*3600)))
		case 6:
			if !tx.Discard(seq) {
				tx.DropJourney("3\x00" + lane)
			}
		case 7:
			tx.put(bucketMeta, keyEpoch, []byte(name)) // the same when it is made again, unlike a drawn one
		}
	}
}

// digest returns a digest of all records of a store.
func digest(t *testing.T, s *Store) string {
	t.Helper()
	sum := sha256.New()
	err := s.view(func(v *view) error {
		for b := range bucketCount {
			fmt.Fprint(sum, b, v.sequence(b))
			for key, value := range v.ascend(b, nil, nil) {
				if b == bucketMeta && bytes.Equal(key, keyPosition) {
					continue
				}
				fmt.Fprintf(sum, "%d %x %d %x\n", len(key), key, len(value), value)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// tornDisk is a disk in memory whose power fails once, at a random operation.
type tornDisk struct {
	store *Store
	// acknowledged counts changes.
	acknowledged atomic.Int64

	mu     sync.Mutex
	random *rand.Rand
	files  map[string]*tornFile
	// left is how many operations are left until the power fails.
	left              int
	cut               bool
	image             crashImage
	acknowledgedAtCut int64
}

func newTornDisk(s *Store, random *rand.Rand, journal files) *tornDisk {
	d := &tornDisk{store: s, random: rand.New(rand.NewPCG(random.Uint64(), 1)), files: map[string]*tornFile{}, left: 1 + random.IntN(90)}
	for name, content := range journal {
		d.files[name] = &tornFile{disk: d, synced: content, isNamed: true}
	}
	return d
}

func (d *tornDisk) isCut() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cut
}

// op counts an operation that was made, but for its sync.
func (d *tornDisk) op() error {
	if d.left--; d.left == 0 {
		d.image = d.crash()
		d.acknowledgedAtCut = d.acknowledged.Load()
		d.cut = true
	}
	if d.random.IntN(failingOps) == 0 {
		return errSimulated
	}
	return nil
}

// crash returns what a power loss may leave at this moment.
func (d *tornDisk) crash() crashImage {
	image := crashImage{journal: files{}, state: d.crashState()}
	for name, f := range d.files {
		if isKept := f.isNamed || d.random.IntN(2) == 0; isKept {
			image.journal[name] = f.crash(d.random)
		}
	}
	return image
}

// crashState returns what a power loss may leave of the state file, in the middle
// of a transaction if a checkpoint runs.
func (d *tornDisk) crashState() []byte {
	path := filepath.Join(d.store.options.Dir, fileName)
	read := func() []byte { content, _ := os.ReadFile(path); return content }
	e := d.store.writer.engine // the disk is used by the writer alone
	if e == nil {
		return read()
	}
	stable := func() (content []byte, id int) {
		tx, err := e.db.Begin(true) // waits for a transaction of the checkpoint
		if err != nil {
			return read(), 0
		}
		defer func() { _ = tx.Rollback() }()
		return read(), tx.ID()
	}
	before, first := stable()
	for n := 0; n < 20 && e.frozen != nil && e.frozen.running != nil; n++ {
		after, id := stable()
		if id == first+1 {
			return tearTransaction(d.random, before, after)
		}
		if id > first {
			return after
		}
		time.Sleep(time.Millisecond)
	}
	return before
}

func (d *tornDisk) open(path string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := filepath.Base(path)
	if d.files[name] == nil {
		d.files[name] = &tornFile{disk: d}
	}
	return d.files[name], d.op()
}

func (d *tornDisk) syncDir(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op(); err != nil {
		return err
	}
	for _, f := range d.files {
		f.isNamed = true
	}
	return nil
}

func (d *tornDisk) remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.files, filepath.Base(path))
	return nil
}

func (d *tornDisk) rename(string, string) error {
	return errors.New("the journal is taken for damaged")
}

// tornFile is a file of a tornDisk. Its name is durable once isNamed.
type tornFile struct {
	disk    *tornDisk
	synced  []byte
	isNamed bool
	// writes were made since the last sync.
	writes []tornWrite
}

// tornWrite is a write at an offset or, without data, a truncation to it.
type tornWrite struct {
	at   int64
	data []byte
}

func (w tornWrite) apply(to []byte) []byte {
	end := w.at + int64(len(w.data))
	if missing := end - int64(len(to)); missing > 0 {
		to = append(to, make([]byte, missing)...)
	}
	if w.data == nil {
		return to[:w.at]
	}
	copy(to[w.at:], w.data)
	return to
}

// content returns the file as the process sees it.
func (f *tornFile) content() []byte {
	content := bytes.Clone(f.synced)
	for _, w := range f.writes {
		content = w.apply(content)
	}
	return content
}

// crash returns the file with any of the sectors that were written since the last sync.
func (f *tornFile) crash(random *rand.Rand) []byte {
	content := bytes.Clone(f.synced)
	for _, w := range f.writes {
		if w.data == nil {
			if random.IntN(2) == 0 {
				content = w.apply(content)
			}
			continue
		}
		share := random.IntN(5) // of four, so that sometimes all or none are kept
		for from := int64(0); from < int64(len(w.data)); {
			to := min((w.at+from)/sector*sector+sector-w.at, int64(len(w.data)))
			if random.IntN(4) < share {
				content = tornWrite{at: w.at + from, data: w.data[from:to]}.apply(content)
			}
			from = to
		}
	}
	return content
}

func (f *tornFile) WriteAt(p []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.writes = append(f.writes, tornWrite{at, bytes.Clone(p)})
	if err := f.disk.op(); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *tornFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.writes = append(f.writes, tornWrite{at: size})
	return f.disk.op()
}

func (f *tornFile) sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.op(); err != nil {
		return err
	}
	f.synced, f.writes = f.content(), nil
	return nil
}

func (f *tornFile) ReadAt(p []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return bytes.NewReader(f.content()).ReadAt(p, at)
}

func (f *tornFile) size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.content())), nil
}

func (f *tornFile) Close() error { return nil }

// tearTransaction returns what a power loss may leave of a transaction of bbolt:
// any of the sectors of its pages, and its meta page, which is written once those
// are synced, whole, in part or not at all.
func tearTransaction(random *rand.Rand, before, after []byte) []byte {
	page := os.Getpagesize()
	metas := 2 * page
	switch random.IntN(3) {
	case 0:
		return after
	case 1:
		torn := bytes.Clone(after)
		for at := 0; at < metas; at += page {
			written := 16 + random.IntN(57) // the content of a meta page ends with its checksum, at 80
			copy(torn[at+written:at+page], before[at+written:at+page])
		}
		return torn
	}
	torn := bytes.Clone(before)
	if len(after) > len(torn) && random.IntN(2) == 0 {
		torn = append(torn, make([]byte, len(after)-len(torn))...)
	}
	for at := metas; at < min(len(torn), len(after)); at += sector {
		if random.IntN(2) == 0 {
			copy(torn[at:at+sector], after[at:])
		}
	}
	return torn
}
