package outbox

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"
)

// Whatever is in which layer, a view has the newest value of each key.
func TestViewIsTheLayersMerged(t *testing.T) {
	db, err := openDB(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.NoSync = true
	rapid.Check(t, func(r *rapid.T) {
		want := map[string]string{}
		layers := make([]*overlay, rapid.IntRange(0, 3).Draw(r, "overlays"))
		key := rapid.StringMatching("[ab][ab]?[ab]?")
		err := db.Update(func(tx *bolt.Tx) error {
			_ = tx.DeleteBucket(bucketReady.name())
			b, err := tx.CreateBucket(bucketReady.name())
			for _, k := range rapid.SliceOf(key).Draw(r, "file") {
				want[k] = "in the file"
				_ = b.Put([]byte(k), newRecord(bucketReady, []byte(k), []byte(want[k])).value)
			}
			return err
		})
		if err != nil {
			r.Fatal(err)
		}
		for n := len(layers) - 1; n >= 0; n-- {
			layers[n] = newOverlay()
			layers[n].set(newRecord(bucketReady-1, []byte("a"), []byte("of another bucket")))
			layers[n].set(newRecord(bucketReady+1, []byte("a"), []byte("of another bucket")))
			for _, k := range rapid.SliceOf(key).Draw(r, "overlay") {
				if want[k] = fmt.Sprint("in overlay ", n); rapid.Bool().Draw(r, "delete") {
					delete(want, k)
					layers[n].set(newRecord(bucketReady, []byte(k), nil))
					continue
				}
				layers[n].set(newRecord(bucketReady, []byte(k), []byte(want[k])))
			}
		}
		tx, err := db.Begin(false)
		if err != nil {
			r.Fatal(err)
		}
		v := &view{layers: layers, bolt: tx}
		defer v.end()
		compareView(r, v, want, rapid.StringMatching("[ab]?").Draw(r, "prefix"), key.Draw(r, "start"))
	})
}

func compareView(r *rapid.T, v *view, want map[string]string, prefix, start string) {
	var up, down []string
	for k := range want {
		if bytes.HasPrefix([]byte(k), []byte(prefix)) {
			if k >= start {
				up = append(up, k)
			} else {
				down = append(down, k)
			}
		}
		if got := v.get(bucketReady, []byte(k)); string(got) != want[k] {
			r.Fatalf("%s is %q, want %q", k, got, want[k])
		}
	}
	slices.Sort(up)
	slices.Sort(down)
	slices.Reverse(down)
	var gotUp, gotDown []string
	if isWithin := bytes.HasPrefix([]byte(start), []byte(prefix)); !isWithin {
		return
	}
	for k, value := range v.ascend(bucketReady, []byte(prefix), []byte(start)) {
		gotUp = append(gotUp, string(k))
		if string(value) != want[string(k)] {
			r.Fatalf("%s has %q, want %q", k, value, want[string(k)])
		}
	}
	for k := range v.descend(bucketReady, []byte(prefix), []byte(start)) {
		gotDown = append(gotDown, string(k))
	}
	if !slices.Equal(gotUp, up) || !slices.Equal(gotDown, down) {
		r.Fatalf("from %q up %q, want %q; down %q, want %q", start, gotUp, up, gotDown, down)
	}
}

// A floor never hides a record.
func TestFloorIsAtOrBeforeTheFirstRecord(t *testing.T) {
	db, err := openDB(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := prepare(db); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	rapid.Check(t, func(r *rapid.T) {
		all, known := newOverlay(), floors(nil)
		for range 30 {
			commit := newOverlay()
			for range rapid.IntRange(1, 4).Draw(r, "changes") {
				key := freshKey(uint32(rapid.IntRange(1, 2).Draw(r, "target")), uint64(rapid.IntRange(1, 12).Draw(r, "seq")))
				var value []byte
				if rapid.Bool().Draw(r, "put") {
					value = []byte{}
				}
				commit.set(newRecord(bucketReady, key, value))
			}
			all.add(commit)
			known = known.after(commit, &view{layers: []*overlay{all}, bolt: tx})
			for target := range uint32(3) {
				prefix := readyKey(target, classFresh)
				with := &view{layers: []*overlay{all}, bolt: tx, floors: known}
				without := &view{layers: []*overlay{all}, bolt: tx}
				if got, want := with.first(bucketReady, prefix), without.first(bucketReady, prefix); !bytes.Equal(got, want) {
					r.Fatalf("the first of target %d is %x, want %x", target, got, want)
				}
			}
		}
	})
}
