package outbox

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/sidehook/sidehook/rules/config"
)

// reasonOf waits until a store that cannot open reports its reason.
func reasonOf(t *testing.T, s *Store) string {
	t.Helper()
	for began := time.Now(); time.Since(began) < deadline; runtime.Gosched() {
		if open, reason := s.State(); open || reason != "not opened yet" {
			return reason
		}
	}
	t.Fatal("the store reports no reason")
	return ""
}

// runUnopened runs a store that is not expected to open.
func runUnopened(t *testing.T, dir string) *Store {
	t.Helper()
	s := newStore(t, dir, config.Retention{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { _ = s.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return s
}

func TestFileThatCannotBeOpenedIsReportedAndLeftAlone(t *testing.T) {
	f := func(name, want string, content func(path string)) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, fileName)
			content(path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := runUnopened(t, dir)
			if reason := reasonOf(t, s); !strings.Contains(reason, want) {
				t.Errorf("reason %q, want %q", reason, want)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
	f("from a newer release", "from a newer release", func(path string) {
		writeBolt(t, path, func(tx *bolt.Tx) error {
			meta, err := tx.CreateBucket(bucketMeta.name())
			if err != nil {
				return err
			}
			return setFormat(meta, currentFormat()+1)
		})
	})
	f("a file of another program", "not a state file of sidehook", func(path string) {
		writeBolt(t, path, func(tx *bolt.Tx) error {
			_, err := tx.CreateBucket([]byte("theirs"))
			return err
		})
	})
	f("not a database", "cannot open the state directory", func(path string) {
		if err := os.WriteFile(path, bytes.Repeat([]byte("no store "), 10_000), 0o600); err != nil {
			t.Fatal(err)
		}
	})
}

func writeBolt(t *testing.T, path string, fn func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(fn); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSecondStoreWaitsForTheFirstToStopAndThenWritesWhatWaited(t *testing.T) {
	dir := t.TempDir()
	_, stop := testStore(t, dir)
	second := newStore(t, dir, config.Retention{})
	run(t, second)
	if reason := reasonOf(t, second); !strings.Contains(reason, errInUse.Error()) {
		t.Errorf("reason %q, want it to name another process", reason)
	}
	done, ok := second.Submit(0, func(tx *Tx) { tx.Enqueue(delivery("a", 1)) })
	if !ok {
		t.Fatal("the queue is full")
	}
	stop()
	select {
	case <-done:
	case <-time.After(deadline):
		t.Fatal("the waiting change was not written")
	}
	if got := dueIDs(t, second, "crm", at(60)); len(got) != 1 {
		t.Errorf("got %q, want the delivery that waited", got)
	}
}

func TestFullDiskLosesNothingThatFitsIntoMemory(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount the small file system that this test needs: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	s, stop := testStore(t, dir)
	defer stop()
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 460<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	big := delivery("a", 1)
	big.Body = make([]byte, 600<<10)
	done, ok := s.Submit(len(big.Body), func(tx *Tx) { tx.Enqueue(big) })
	if !ok {
		t.Fatal("the queue is full")
	}
	for open := true; open; open, _ = s.State() {
		select {
		case <-done:
			t.Fatal("the change was written to a full disk")
		default:
			runtime.Gosched()
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(deadline):
		_, reason := s.State()
		t.Fatalf("the change was not written after space was freed: %s", reason)
	}
}
