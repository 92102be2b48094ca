package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

// testFile makes a state file without an engine.
func testFile(t *testing.T) *bolt.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), fileName)
	if err := createFile(path); err != nil {
		t.Fatal(err)
	}
	db, err := openDB(path)
	if err != nil {
		t.Fatal(err)
	}
	db.NoSync = true
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// collect returns what a walk through a bucket yields.
func collect(next func() (key, value []byte)) (records [][2]string) {
	for key, value := next(); key != nil; key, value = next() {
		records = append(records, [2]string{string(key), string(value)})
	}
	return records
}

func TestValuesOfAnyLengthAreWhatWasPut(t *testing.T) {
	db := testFile(t)
	random := rand.New(rand.NewPCG(1, 2))
	lengths := []int{0, 1, pieceSize - 1, pieceSize, pieceSize + 1, 2 * pieceSize, 2*pieceSize + 1, 70_000}
	// The second is a prefix of the others, and the third of the key of a piece of it.
	keys := []string{"a", "b", "b\x00\x00\x00\x01", "b\x00\x00\x00\x01c", "c"}
	want := map[string]string{}
	for range 300 {
		key := keys[random.IntN(len(keys))]
		err := db.Update(func(tx *bolt.Tx) error {
			f := newFileBucket(tx, bucketJourneyParts)
			if random.IntN(3) == 0 {
				delete(want, key)
				return f.Delete([]byte(key))
			}
			value := bytes.Repeat([]byte{byte(random.IntN(256))}, lengths[random.IntN(len(lengths))])
			want[key] = string(value)
			return f.Put([]byte(key), value)
		})
		if err != nil {
			t.Fatal(err)
		}
		var all [][2]string
		for _, key := range keys {
			if value, ok := want[key]; ok {
				all = append(all, [2]string{key, value})
			}
		}
		err = db.View(func(tx *bolt.Tx) error {
			f := newFileBucket(tx, bucketJourneyParts)
			for _, r := range all {
				if got := string(f.Get([]byte(r[0]))); got != r[1] {
					return fmt.Errorf("the value of %q has %d bytes, want %d", r[0], len(got), len(r[1]))
				}
			}
			down := collect(f.descend([]byte("d")))
			slices.Reverse(down)
			if diff := cmp.Diff(all, collect(f.ascend(nil))) + cmp.Diff(all, down); diff != "" {
				return errors.New(diff)
			}
			pieces := 0
			for _, value := range want {
				pieces += len(value) / pieceSize
				if len(value) > 0 && len(value)%pieceSize == 0 {
					pieces--
				}
			}
			if n := f.pieces.Stats().KeyN; n != pieces {
				return fmt.Errorf("there are %d pieces, want %d", n, pieces)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What long values leave free is used again, whatever their lengths.
func TestLongValuesDoNotMakeTheFileGrow(t *testing.T) {
	db := testFile(t)
	random := rand.New(rand.NewPCG(3, 4))
	const values, turns = 60, 2000
	var lengths [values]int
	most := 0
	for turn := range turns {
		n := random.IntN(values)
		// They get longer and longer, so that none fits where one was deleted.
		lengths[n] = 3000 + 30*turn + random.IntN(2000)
		err := db.Update(func(tx *bolt.Tx) error {
			return newFileBucket(tx, bucketDeliveries).Put([]byte{byte(n)}, make([]byte, lengths[n]))
		})
		if err != nil {
			t.Fatal(err)
		}
		live := 0
		for _, length := range lengths {
			live += int(footprint(length))
		}
		most = max(most, live)
	}
	err := db.View(func(tx *bolt.Tx) error {
		if limit := int64(most) * 11 / 10; tx.Size() > limit {
			return fmt.Errorf("the file has %d bytes, want %d at most", tx.Size(), limit)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
