package outbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/sidehook/sidehook/rules/config"
)

// deadline is when a test gives up. No test waits for it to pass.
const deadline = 20 * time.Second

// testStore runs a store on dir until the test or stop ends it.
func testStore(t testing.TB, dir string) (s *Store, stop func()) {
	t.Helper()
	s = newStore(t, dir, config.Retention{})
	stop = run(t, s)
	waitOpen(t, s)
	return s, stop
}

func newStore(t testing.TB, dir string, retention config.Retention) *Store {
	t.Helper()
	return New(Options{Dir: dir, Retention: retention, Logger: slog.New(slog.DiscardHandler)})
}

// run runs a store and returns a function that stops it, which must succeed.
func run(t testing.TB, s *Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// do makes a change and waits until it is on disk.
func do(t testing.TB, s *Store, fn func(*Tx)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := s.Do(ctx, fn); err != nil {
		t.Fatalf("cannot make a change: %v", err)
	}
}

// waitOpen waits until changes are written.
func waitOpen(t testing.TB, s *Store) {
	t.Helper()
	do(t, s, func(*Tx) {})
}

// delivery makes the n-th delivery of a lane to the target crm.
func delivery(lane string, n int) Delivery {
	return Delivery{
		ID: fmt.Sprintf("msg_%s_%d", lane, n), Target: "crm", Rule: "all", Lane: lane, Event: "page_navigation", Survey: "12/3",
		Body: fmt.Appendf(nil, `{"lane":%q,"n":%d}`, lane, n), ContentType: "application/json",
		Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		Created:     at(n),
	}
}

// at returns the time n seconds after a fixed one.
// seen is the mark of a small journey without events.
func seen(last time.Time) Mark { return Mark{LastExchange: last} }

// eventful is the mark of a journey of that size that has led to an event.
func eventful(last time.Time, size int) Mark {
	return Mark{LastExchange: last, Size: size, HasEvents: true}
}

// waitAudited waits until nothing damaged waits to be set aside or repaired.
func waitAudited(t testing.TB, s *Store) {
	t.Helper()
	for isRunning := true; isRunning; {
		do(t, s, func(tx *Tx) { isRunning = s.writer.audit.isRunning() || tx.startAudit })
	}
}

func at(n int) time.Time { return time.Date(2026, 11, 23, 12, 0, n, 0, time.UTC) }

// dueIDs returns the ids of the deliveries that are due at a time.
func dueIDs(t testing.TB, s *Store, target string, now time.Time) (ids []string) {
	t.Helper()
	due, _, err := s.Due(target, now, 1000, nil)
	if err != nil {
		t.Fatalf("cannot read due deliveries: %v", err)
	}
	for _, d := range due {
		ids = append(ids, d.ID)
	}
	return ids
}

// find returns the delivery with this id whole, nil if there is none. If it was
// copied to other targets, it is the original.
func find(t testing.TB, s *Store, id string) *Delivery {
	t.Helper()
	found, _, err := s.List(Query{ID: id})
	if err != nil {
		t.Fatalf("cannot find %s: %v", id, err)
	}
	if len(found) == 0 {
		return nil
	}
	d, err := s.Load(found[0].Seq)
	if err != nil {
		t.Fatalf("cannot load %s: %v", id, err)
	}
	return d
}

// seqOf returns the seq of the delivery with this id.
func seqOf(t testing.TB, s *Store, id string) uint64 {
	t.Helper()
	d := find(t, s, id)
	if d == nil {
		t.Fatalf("there is no %s", id)
	}
	return d.Seq
}

// testServers keep a log in memory.
type testServers struct {
	maxEntry int

	mu sync.Mutex
	// changed is closed, and replaced, whenever something below or a line changes.
	changed chan struct{}
	dropped uint64
	entries [][]byte
	// snapshots have their names in names, oldest first.
	snapshots map[string][]byte
	names     []string
}

func newTestServers() *testServers {
	return &testServers{maxEntry: 900 << 10, changed: make(chan struct{}), snapshots: map[string][]byte{}}
}

// all returns all entries there are.
func (s *testServers) all(t testing.TB) (list []logEntry) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.entries {
		e, err := decodeEntry(b)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func (s *testServers) set(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
	close(s.changed)
	s.changed = make(chan struct{})
}

// until calls try, with the lock held, until it returns true or ctx ends.
func (s *testServers) until(ctx context.Context, try func() bool) error {
	for ctx.Err() == nil {
		s.mu.Lock()
		isDone, changed := try(), s.changed
		s.mu.Unlock()
		if isDone {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// testLog is the line of one replica to the servers. While it is cut nothing passes,
// while it is deaf no acknowledgement comes back.
type testLog struct {
	*testServers
	isCut, isDeaf bool
	// before is called before each write, if it is set.
	before atomic.Pointer[func(logEntry)]
	// hold is closed when the next snapshot is saved, which then takes until it is given up.
	hold atomic.Pointer[chan struct{}]
}

func (l *testLog) beforeWrites(fn func(logEntry)) { l.before.Store(&fn) }

func (l *testLog) cut(isCut bool)     { l.set(func() { l.isCut = isCut }) }
func (l *testLog) deafen(isDeaf bool) { l.set(func() { l.isDeaf = isDeaf }) }

func (l *testLog) Write(ctx context.Context, after uint64, b []byte) (number uint64, err error) {
	if e, err := decodeEntry(b); err == nil && l.before.Load() != nil {
		(*l.before.Load())(e)
	}
	if len(b) > l.maxEntry {
		return 0, fmt.Errorf("an entry of %d bytes is too long", len(b))
	}
	failed := l.until(ctx, func() bool {
		if l.isCut {
			return false
		}
		next := after + 1
		switch last := l.dropped + uint64(len(l.entries)); {
		case next == last+1:
			l.entries = append(l.entries, bytes.Clone(b))
			close(l.changed)
			l.changed = make(chan struct{})
		case next > last:
			err = ErrGone
		case next <= l.dropped || !bytes.Equal(l.entries[next-l.dropped-1], b):
			err = ErrOvertaken
		}
		return true
	})
	if failed == nil {
		failed = l.until(ctx, func() bool { return !l.isDeaf && !l.isCut })
	}
	if failed != nil {
		return 0, failed
	}
	return after + 1, err
}

func (l *testLog) Written(ctx context.Context, after uint64, fn func(uint64, []byte) error) error {
	for {
		var b []byte
		var isGone bool
		err := l.until(ctx, func() bool {
			if isGone = after < l.dropped; l.isCut || isGone {
				return isGone
			}
			if n := after - l.dropped; n < uint64(len(l.entries)) {
				b = bytes.Clone(l.entries[n])
			}
			return b != nil
		})
		switch {
		case err != nil:
			return err
		case isGone:
			return ErrGone
		}
		after++
		if err := fn(after, b); err != nil {
			return err
		}
		clear(b)
	}
}

func (l *testLog) Extent(ctx context.Context) (first, last uint64, err error) {
	err = l.until(ctx, func() bool {
		first, last = l.dropped+1, l.dropped+uint64(len(l.entries))
		return !l.isCut
	})
	return first, last, err
}

func (l *testLog) Drop(ctx context.Context, upTo uint64) error {
	return l.change(ctx, func() {
		if n := min(max(upTo, l.dropped)-l.dropped, uint64(len(l.entries))); n > 0 {
			l.dropped, l.entries = l.dropped+n, l.entries[n:]
		}
	})
}

func (l *testLog) Save(ctx context.Context, name string, snapshot io.Reader) error {
	if hold := l.hold.Swap(nil); hold != nil {
		close(*hold)
		<-ctx.Done()
		return ctx.Err()
	}
	content, err := io.ReadAll(snapshot)
	if err != nil {
		return err
	}
	return l.change(ctx, func() { l.snapshots[name], l.names = content, append(l.names, name) })
}

func (l *testLog) Open(ctx context.Context, name string) (content io.ReadCloser, err error) {
	err = l.change(ctx, func() {
		if found, ok := l.snapshots[name]; ok {
			content = io.NopCloser(bytes.NewReader(found))
		}
	})
	if err == nil && content == nil {
		err = ErrGone
	}
	return content, err
}

func (l *testLog) Snapshots(ctx context.Context) (names []string, err error) {
	err = l.change(ctx, func() { names = slices.Clone(l.names) })
	return names, err
}

func (l *testLog) Remove(ctx context.Context, name string) error {
	return l.change(ctx, func() {
		delete(l.snapshots, name)
		l.names = slices.DeleteFunc(l.names, func(n string) bool { return n == name })
	})
}

// change calls fn with the lock held once the line is not cut.
func (l *testLog) change(ctx context.Context, fn func()) error {
	return l.until(ctx, func() bool {
		if l.isCut {
			return false
		}
		fn()
		return true
	})
}

func (l *testLog) MaxEntry() int { return l.maxEntry }

// testReplica is a store that is one of several.
type testReplica struct {
	*Store
	line *testLog
	stop func()
	// terms counts the terms that have begun, and inTerm those that have not ended.
	terms, inTerm atomic.Int32
}

// memberDirs makes state directories whose files are alike and belong to a new log.
func memberDirs(t testing.TB, n int) (dirs []string) {
	t.Helper()
	first := t.TempDir()
	_, stop := testStore(t, first)
	stop()
	var log chain
	copy(log[:], rand.Text())
	db, err := openDB(filepath.Join(first, fileName))
	if err == nil {
		err = db.Update(func(tx *bolt.Tx) error {
			return putMeta(tx.Bucket(bucketMeta.name()), keyApplied, place{log: log, chain: log}.encode())
		})
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for range n {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(first)); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// newReplica makes a replica over a line of its own.
func (s *testServers) newReplica(dir, name string) *testReplica {
	line := &testLog{testServers: s}
	return &testReplica{line: line, Store: New(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler), Log: line, Incarnation: name})}
}

// start runs a replica until the test or its stop ends it.
func (r *testReplica) start(t testing.TB) *testReplica {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Lead(ctx, func(ctx context.Context) {
			r.terms.Add(1)
			r.inTerm.Add(1)
			<-ctx.Done()
			r.inTerm.Add(-1)
		})
	}()
	stop := run(t, r.Store)
	r.stop = func() { cancel(); <-ended; stop() }
	t.Cleanup(r.stop)
	return r
}

// eventually waits, in a bubble's time, until something is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for started := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Since(started) > time.Minute {
			t.Fatalf("never: %s", what)
		}
	}
}

// waitLeading waits until one of the replicas leads, and returns it.
func waitLeading(t testing.TB, replicas ...*testReplica) (leader *testReplica) {
	t.Helper()
	eventually(t, "a replica leads", func() bool {
		for _, r := range replicas {
			if r.Leads() {
				leader = r
			}
		}
		return leader != nil
	})
	return leader
}

// waitEqual waits until the replicas have applied the same, and compares their files.
func waitEqual(t testing.TB, replicas ...*testReplica) {
	t.Helper()
	for _, difference := range differences(t, replicas...) {
		t.Error(difference)
	}
}

// differences waits until the replicas have applied all that there is in the log, and
// returns what is not the same in their files.
func differences(t testing.TB, replicas ...*testReplica) (found []string) {
	t.Helper()
	servers := replicas[0].line.testServers
	eventually(t, "all replicas have applied everything", func() bool {
		all := servers.all(t)
		if len(all) == 0 {
			return false
		}
		last := all[len(all)-1].index
		return !slices.ContainsFunc(replicas, func(r *testReplica) bool {
			got := r.Replica()
			return got.Applied != last || got.Role != RoleFollowing && got.Role != RoleLeading
		})
	})
	want := dump(t, replicas[0].Store)
	for _, r := range replicas[1:] {
		got, names := dump(t, r.Store), [2]string{r.Replica().Incarnation, replicas[0].Replica().Incarnation}
		for key, value := range want {
			if got[key] != value {
				found = append(found, fmt.Sprintf("%s has %q for %s, and %s has %q", names[0], got[key], key, names[1], value))
			}
			delete(got, key)
		}
		for key := range got {
			found = append(found, fmt.Sprintf("%s has %s, and %s has not", names[0], key, names[1]))
		}
	}
	return found
}

// dump returns all records of a store with their seals, and all sequences, but for what
// the file itself needs.
func dump(t testing.TB, s *Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := s.view(func(v *view) error {
		for b := range bucketCount {
			all[bucketNames[b]] = fmt.Sprint(v.sequence(b))
			for key, sealed := range v.ascendSealed(b, nil, nil) {
				isOwn := b == bucketMeta && (bytes.Equal(key, keyPosition) || bytes.Equal(key, keyApplied) || bytes.Equal(key, keyErase))
				if !isOwn {
					all[fmt.Sprintf("%s %x", bucketNames[b], key)] = string(sealed)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// fullDisk is a disk that can be full, and calls before before each sync.
type fullDisk struct {
	osDisk
	isFull atomic.Bool
	before atomic.Pointer[func()]
	// fails is the error of each sync, if it is set.
	fails atomic.Pointer[error]
	// failsToWrite reports that then nothing is written before it either.
	failsToWrite atomic.Bool
}

func (d *fullDisk) open(path string) (file, error) {
	f, err := d.osDisk.open(path)
	return fullFile{f, d}, err
}

type fullFile struct {
	file
	disk *fullDisk
}

func (f fullFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.disk.fails.Load(); err != nil && f.disk.failsToWrite.Load() {
		return 0, *err
	}
	return f.file.WriteAt(b, at)
}

func (f fullFile) sync() error {
	if before := f.disk.before.Load(); before != nil {
		(*before)()
	}
	if err := f.disk.fails.Load(); err != nil {
		return *err
	}
	if f.disk.isFull.Load() {
		return syscall.ENOSPC
	}
	return f.file.sync()
}

// forge appends an entry of another replica.
func (s *testServers) forge(t testing.TB, change func(encoded []byte)) {
	t.Helper()
	all := s.all(t)
	last := place{index: uint64(len(all)), number: uint64(len(all)), chain: all[len(all)-1].chain}
	encoded, _ := last.add(entryLead, "other", nil)
	change(encoded)
	s.set(func() { s.entries = append(s.entries, encoded) })
}
