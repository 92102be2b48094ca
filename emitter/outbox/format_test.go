package outbox

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

// unpackFormat1 makes a state directory with a file that an early release wrote.
// Of target crm, delivery 1 is delivered, 2 dead, 3 waits for a retry, 4 is behind
// it, and 5 waits.
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

func TestFileOfAnEarlyReleaseIsStillRead(t *testing.T) {
	s, _ := testStore(t, unpackFormat1(t))
	known, err := s.Targets()
	if err != nil || known["crm"].Pending != 3 || known["crm"].Dead != 1 || known["crm"].Delivered != 1 || known["erp"].Cause != CauseUnsubscribed {
		t.Errorf("the targets are %+v, %v", known, err)
	}
	if dead := find(t, s, "msg_ann_1"); dead.State != Dead || dead.Failure.Reason != "status 500" || string(dead.Failure.Excerpt) != "no" {
		t.Errorf("the dead one is %+v", dead)
	}
	do(t, s, func(tx *Tx) {
		hash, _ := tx.PutPage([]byte(`{"id":"one"}`))
		if _, ok := tx.Journey("3\x00ann"); !ok || tx.Page(hash) == nil {
			t.Error("the journey or its page is missing")
		}
		tx.Delivered(3, Attempt{At: at(70)})
		tx.Redeliver(2, at(80))
	})
	do(t, s, func(tx *Tx) {
		for key, record := range tx.view.ascend(bucketJourneys, nil, nil) {
			r, ok := decodeJourney(record)
			if indexed := tx.has(bucketJourneyAge, newAgeKey(string(key), r)); !ok || !indexed {
				t.Errorf("journey %q can be read: %v, is in the index: %v", key, ok, indexed)
			}
		}
		for key := range tx.view.ascend(bucketJourneyAge, nil, nil) {
			if _, ok := tx.Journey(ageKey(key).journey()); !ok {
				t.Errorf("the index has %q, which is no journey", key)
			}
		}
	})
	if diff := cmp.Diff([]string{"msg_bob_0", "msg_ann_1"}, dueIDs(t, s, "crm", at(90))[1:]); diff != "" {
		t.Errorf("due deliveries after msg_ann_3 (-want +got):\n%s", diff)
	}
}

// The test makes up the next format.
func TestOlderFileIsMigratedOnceAndThenRefusedByTheOlderRelease(t *testing.T) {
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
	known := migrations
	t.Cleanup(func() { migrations = known })
	migrations = append(known[:len(known):len(known)], func(tx *bolt.Tx) error {
		runs++
		if _, err := tx.CreateBucket([]byte("of the next format")); err != nil || fails {
			return errors.Join(err, errors.New("failed"))
		}
		return nil
	})
	f("cannot migrate outbox.db from format 1 to 3: failed")
	fails = false
	f("")
	f("")
	if runs != 2 {
		t.Errorf("the migration ran %d times, want one failure and one success", runs)
	}
	migrations = known
	f("outbox.db has format 3, from a newer release, and this one knows up to 2")
}
