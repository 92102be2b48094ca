package outbox

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

// writeFunc is a writer that is a function.
type writeFunc func(p []byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

func TestABackupIsTheStoreAsItWasWhenItBegan(t *testing.T) {
	s, stop := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		tx.Enqueue(delivery("ann", 0))
		tx.Enqueue(delivery("ann", 1))
		tx.PutJourney("3\x00ann", []byte("{}"), at(0))
	})
	other := t.TempDir()
	var copied bytes.Buffer
	var size int64
	err := s.Backup(t.Context(), func(n int64) io.Writer {
		size = n
		return writeFunc(func(p []byte) (int, error) { // while it is written, the store goes on
			do(t, s, func(tx *Tx) { tx.Delivered(1, Attempt{At: at(1)}) })
			return copied.Write(p)
		})
	})
	if err != nil || size != int64(copied.Len()) {
		t.Fatalf("%d bytes of %d: %v", copied.Len(), size, err)
	}
	path := filepath.Join(other, fileName)
	if err := os.WriteFile(path, copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := FinishCopy(path); err != nil {
		t.Fatal(err)
	}
	var epoch string
	do(t, s, func(tx *Tx) { epoch = tx.Epoch() })
	stop()
	restored, _ := testStore(t, other)
	do(t, restored, func(tx *Tx) {
		if tx.Epoch() == epoch || tx.Epoch() == "" {
			t.Errorf("its epoch is %q: it would give ids again that the original has given", tx.Epoch())
		}
		if _, ok := tx.Journey("3\x00ann"); !ok {
			t.Error("the journey is not there")
		}
		tx.Enqueue(delivery("ann", 2))
	})
	if diff := cmp.Diff([]string{"msg_ann_0"}, dueIDs(t, restored, "crm", at(0))); diff != "" {
		t.Errorf("what is due (-want +got):\n%s", diff)
	}
}

func TestABackupEndsWhenItsTimeIsOver(t *testing.T) {
	s, stop := testStore(t, t.TempDir())
	f := func(name string, want error, end func(ctx context.Context, cancel func())) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := s.Backup(ctx, func(int64) io.Writer {
			return writeFunc(func(p []byte) (int, error) { end(ctx, cancel); return len(p), nil })
		})
		if err == nil || !errors.Is(err, want) && !strings.Contains(err.Error(), want.Error()) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	f("its client is gone", context.Canceled, func(_ context.Context, cancel func()) { cancel() })
	f("a scrub meanwhile", context.Canceled, func(ctx context.Context, cancel func()) {
		if err := s.Scrub(ctx); !errors.Is(err, ErrBusy) {
			t.Errorf("the scrub gave %v", err)
		}
		cancel()
	})
	stopped := make(chan struct{})
	var ending sync.WaitGroup
	f("the store stops", errStopping, func(context.Context, func()) {
		select {
		case <-stopped:
		default:
			close(stopped)
			ending.Go(stop)
			<-s.closing
		}
	})
	ending.Wait()
	if err := s.Backup(t.Context(), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("of a closed store: %v", err)
	}
}

func TestWhatIsNoCopyIsNotTakenForOne(t *testing.T) {
	f := func(want string, content func(path string)) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "copy")
		content(path)
		if err := FinishCopy(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("no state file", func(path string) { writeBolt(t, path, func(*bolt.Tx) error { return nil }) })
	f("of a newer release", func(path string) {
		writeBolt(t, path, func(tx *bolt.Tx) error {
			meta, err := tx.CreateBucket(bucketMeta)
			return errors.Join(err, setFormat(meta, currentFormat()+1))
		})
	})
	f("cannot open the copy", func(path string) {
		if err := os.WriteFile(path, bytes.Repeat([]byte("no store "), 10_000), 0o600); err != nil {
			t.Fatal(err)
		}
	})
}

// unpackFormat1 makes a state directory of a file that an early release wrote: of
// target crm, delivery 1 is delivered, 2 dead, 3 waits for a retry, 4 is behind it, and 5 waits.
func unpackFormat1(t *testing.T) (dir string) {
	t.Helper()
	packed, err := os.Open("testdata/format-1.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), content, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAFileOfFormat1IsStillUnderstood(t *testing.T) {
	s, _ := testStore(t, unpackFormat1(t))
	known, err := s.Targets()
	if err != nil || known["crm"].Pending != 3 || known["crm"].Dead != 1 || known["crm"].Delivered != 1 || known["erp"].Cause != CauseUnsubscribed {
		t.Errorf("the targets are %+v, %v", known, err)
	}
	if dead := find(t, s, "msg_ann_1"); dead.State != Dead || dead.Failure.Reason != "status 500" || string(dead.Failure.Excerpt) != "no" {
		t.Errorf("the dead one is %+v", dead)
	}
	do(t, s, func(tx *Tx) {
		if _, ok := tx.Journey("3\x00ann"); !ok || tx.Page(tx.PutPage([]byte(`{"id":"one"}`))) == nil {
			t.Error("the journey or its page is not there")
		}
		tx.Delivered(3, Attempt{At: at(70)})
		tx.Redeliver(2, at(80))
	})
	if diff := cmp.Diff([]string{"msg_bob_0", "msg_ann_1"}, dueIDs(t, s, "crm", at(90))[1:]); diff != "" {
		t.Errorf("what is due after msg_ann_3 (-want +got):\n%s", diff)
	}
}

// There is one format so far, so the next one is made up here.
func TestAnOlderFileIsMigratedAndIsTooNewForTheOlderReleaseThen(t *testing.T) {
	path := filepath.Join(unpackFormat1(t), fileName)
	open := func() error {
		t.Helper()
		db, err := openDB(path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		_, err = prepare(db)
		return err
	}
	f := func(want string) {
		t.Helper()
		if err := open(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	runs, fails := 0, true
	t.Cleanup(func() { migrations = nil })
	migrations = append(migrations, func(tx *bolt.Tx) error {
		runs++
		if _, err := tx.CreateBucket([]byte("of format 2")); err != nil || fails {
			return errors.Join(err, errors.New("no luck"))
		}
		return nil
	})
	f("cannot migrate outbox.db from format 1 to 2: no luck")
	fails = false
	f("")
	f("")
	if runs != 2 {
		t.Errorf("it was migrated %d times, want once in vain and once for good", runs)
	}
	migrations = nil
	f("outbox.db has format 2, from a newer release, and this one knows up to 1")
}
