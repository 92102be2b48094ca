package outbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sidehook/sidehook/rules/config"
)

// shelf is a Log that has snapshots and nothing else.
type shelf struct {
	Log
	saved map[string][]byte
}

func (s *shelf) Save(_ context.Context, name string, snapshot io.Reader) (err error) {
	s.saved[name], err = io.ReadAll(snapshot)
	return err
}

func (s *shelf) Open(_ context.Context, name string) (io.ReadCloser, error) {
	content, ok := s.saved[name]
	if !ok {
		return nil, ErrGone
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

// savedState saves a snapshot of a state with one journey and this place.
func savedState(t *testing.T, here place) (*shelf, snapshot) {
	t.Helper()
	dir := t.TempDir()
	s, _ := testStore(t, dir)
	do(t, s, func(tx *Tx) {
		tx.put(bucketMeta, keyApplied, here.encode())
		tx.put(bucketMeta, keyErase, []byte{})
		tx.PutJourney("3\x00ann", []byte("{}"), seen(at(0)))
	})
	log := &shelf{saved: map[string][]byte{}}
	s.options.Log = log
	saved, err := s.saveSnapshot(t.Context(), s.engine.Load())
	if err != nil {
		t.Fatal(err)
	}
	if left := readState(t, dir); left[fileName+copySuffix] != nil {
		t.Error("the copy is left")
	}
	return log, saved
}

func TestSavedSnapshotIsLoadedAsItWas(t *testing.T) {
	here := place{log: chain{1}, index: 7, number: 9, chain: chain{2}}
	log, saved := savedState(t, here)
	if read, ok := decodeSnapshot(saved.encode()); !ok || read != saved {
		t.Errorf("%+v is read as %+v", saved, read)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	if err := fetchSnapshot(t.Context(), log, saved, path); err != nil {
		t.Fatal(err)
	}
	db, err := openDB(path)
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta.name())
		if got, _ := decodePlace(getMeta(meta, keyApplied)); got != here {
			t.Errorf("its place is %+v", got)
		}
		if getMeta(meta, keyErase) != nil || getMeta(meta, keyPosition) != nil {
			t.Error("it has what is of another replica alone")
		}
		return nil
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	s, _ := testStore(t, dir)
	do(t, s, func(tx *Tx) {
		if _, ok := tx.Journey("3\x00ann"); !ok {
			t.Error("it lacks the journey")
		}
	})
}

func TestSnapshotThatIsNotWhatWasSavedIsNotLoaded(t *testing.T) {
	log, saved := savedState(t, place{log: chain{1}, index: 7, number: 9})
	f := func(what string, want error, change func(known *snapshot, content []byte) []byte) {
		t.Helper()
		known, content := saved, bytes.Clone(log.saved[saved.name.text])
		changed := &shelf{saved: map[string][]byte{}}
		if content = change(&known, content); content != nil {
			changed.saved[known.name.text] = content
		}
		path := filepath.Join(t.TempDir(), fileName)
		if err := fetchSnapshot(t.Context(), changed, known, path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	f("another digest", errSnapshot, func(known *snapshot, content []byte) []byte {
		known.sum[0]++
		return content
	})
	f("another size", errSnapshot, func(known *snapshot, content []byte) []byte {
		known.size++
		return content
	})
	f("another place", errSnapshot, func(known *snapshot, content []byte) []byte {
		known.name = newSnapshotName(place{log: chain{1}, index: 7, number: 10}, chain{})
		return content
	})
	f("a gap, and nobody knows the digest", errSnapshot, func(known *snapshot, content []byte) []byte {
		known.sum = [sha256.Size]byte{}
		return content[:len(content)/2]
	})
	f("nothing", ErrGone, func(*snapshot, []byte) []byte { return nil })
}

func TestSnapshotOfANewerReleaseIsNotLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), fileName)
	writeBolt(t, path, func(tx *bolt.Tx) error {
		meta, err := tx.CreateBucket(bucketMeta.name())
		return errors.Join(err, setFormat(meta, currentFormat()+1))
	})
	if err := checkSnapshot(path, snapshotName{}); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v, want %v", err, ErrNewer)
	}
}

func TestSnapshotIsNotMadeOfASingleSidehooksState(t *testing.T) {
	s := newStore(t, t.TempDir(), config.Retention{})
	run(t, s)
	waitOpen(t, s)
	_, err := s.saveSnapshot(t.Context(), s.engine.Load())
	if err == nil || !strings.Contains(err.Error(), "belongs to no log") {
		t.Errorf("got %v", err)
	}
}
