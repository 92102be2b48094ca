package outbox

import (
	"bytes"
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

// writeFunc is a function as an io.Writer.
type writeFunc func(p []byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

func TestBackupIsTheStoreAtTheMomentItBegan(t *testing.T) {
	s, stop := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		tx.Enqueue(delivery("ann", 0))
		tx.Enqueue(delivery("ann", 1))
		tx.PutJourney("3\x00ann", []byte("{}"), seen(at(0)))
	})
	other := t.TempDir()
	var copied bytes.Buffer
	var size int64
	err := s.Backup(t.Context(), func(n int64) io.Writer {
		size = n
		return writeFunc(func(p []byte) (int, error) { // the store goes on meanwhile
			do(t, s, func(tx *Tx) { tx.Delivered(1, Attempt{At: at(1)}) })
			return copied.Write(p)
		})
	})
	if err != nil || size != int64(copied.Len()) {
		t.Fatalf("copied %d bytes of %d: %v", copied.Len(), size, err)
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
			t.Errorf("its epoch is %q: it would mint ids that the original has minted", tx.Epoch())
		}
		if _, ok := tx.Journey("3\x00ann"); !ok {
			t.Error("the journey is missing")
		}
		tx.Enqueue(delivery("ann", 2))
	})
	if diff := cmp.Diff([]string{"msg_ann_0"}, dueIDs(t, restored, "crm", at(0))); diff != "" {
		t.Errorf("due deliveries (-want +got):\n%s", diff)
	}
}

func TestBackupEndsWithItsContextAndWithTheStore(t *testing.T) {
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
	f("the context ends", context.Canceled, func(_ context.Context, cancel func()) { cancel() })
	f("a scrub is refused meanwhile", context.Canceled, func(ctx context.Context, cancel func()) {
		if err := s.Scrub(ctx); !errors.Is(err, ErrBusy) {
			t.Errorf("the scrub returned %v", err)
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
		t.Errorf("backup of a closed store: %v", err)
	}
}

func TestFinishCopyRefusesOtherFiles(t *testing.T) {
	f := func(want string, content func(path string)) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "copy")
		content(path)
		if err := FinishCopy(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("not a state file", func(path string) { writeBolt(t, path, func(*bolt.Tx) error { return nil }) })
	f("of a newer release", func(path string) {
		writeBolt(t, path, func(tx *bolt.Tx) error {
			meta, err := tx.CreateBucket(bucketMeta.name())
			return errors.Join(err, setFormat(meta, currentFormat()+1))
		})
	})
	f("cannot open the copy", func(path string) {
		if err := os.WriteFile(path, bytes.Repeat([]byte("no store "), 10_000), 0o600); err != nil {
			t.Fatal(err)
		}
	})
}
