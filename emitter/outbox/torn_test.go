package outbox

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	// sector is what a disk writes as a whole.
	sector = 512
	// metaPages are the two pages at the beginning of a file that tell where all else is.
	metaPages = 2
	// damages is how many files of each kind are damaged at random.
	damages = 40
)

// readState and writeState copy the state file from and to a directory.
func readState(t testing.TB, dir string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeState(t testing.TB, dir string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, fileName), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// tear makes what a power cut may leave of a commit: any of its sectors. The
// meta page comes last, so it is not there or not whole; isWhole has all of it.
func tear(r *rapid.T, before, after []byte) (torn []byte, isWhole bool) {
	metas := metaPages * os.Getpagesize()
	switch rapid.SampledFrom([]string{"before the meta page", "within the meta page", "after it"}).Draw(r, "cut") {
	case "within the meta page":
		torn = bytes.Clone(after)
		for at := 0; at < metas; at += os.Getpagesize() {
			written := rapid.IntRange(16, 72).Draw(r, "bytes of the meta page") // it ends with its checksum, at 80
			copy(torn[at+written:at+os.Getpagesize()], before[at+written:])
		}
		return torn, bytes.Equal(torn[:metas], after[:metas])
	case "after it":
		return bytes.Clone(after), true
	}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "sectors"), 0))
	torn = bytes.Clone(before)
	if len(after) > len(torn) && random.IntN(2) == 0 {
		torn = append(torn, make([]byte, len(after)-len(torn))...)
	}
	for at := metas; at < min(len(torn), len(after)); at += sector {
		if random.IntN(2) == 0 {
			copy(torn[at:at+sector], after[at:])
		}
	}
	return torn, false
}

// Whatever is broken in the file, the process lives, and the store works or says
// why not.
func TestADamagedFileEndsNothingAndIsToldOf(t *testing.T) {
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	for n := range 200 {
		do(t, s, func(tx *Tx) { tx.Enqueue(delivery(fmt.Sprint(n%10), n)) })
	}
	stop()
	whole := readState(t, dir)
	f := func(name string, damage func(data []byte) []byte, wants bool) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeState(t, dir, damage(bytes.Clone(whole)))
			s := runUnopened(t, dir)
			if reason := reasonOf(t, s); wants && !strings.Contains(reason, "damaged") {
				t.Errorf("reason %q, want that the file is damaged", reason)
			}
			for _, state := range []State{Waiting, Delivered} {
				_, _, _ = s.List(Query{Target: "crm", States: []State{state}, Limit: 1000})
			}
			_, _, _ = s.Due("crm", at(0), 1000, nil)
		})
	}
	page := os.Getpagesize()
	for _, length := range []int{1, 100, page, 2 * page, 3 * page, len(bytes.TrimRight(whole, "\x00")) / 2} { // past what is used there are zeros
		f(fmt.Sprintf("cut to %d bytes", length), func(data []byte) []byte { return data[:length] }, true)
	}
	f("both meta pages are zeros", func(data []byte) []byte { clear(data[:2*page]); return data }, true)
	f("all but the meta pages are zeros", func(data []byte) []byte { clear(data[2*page:]); return data }, true)
	random := rand.New(rand.NewPCG(1, 1))
	somePage := func(data []byte) []byte {
		at := random.IntN(len(data)/page) * page
		return data[at : at+page]
	}
	for n := range damages {
		f(fmt.Sprintf("garbage in a page, %d", n), func(data []byte) []byte {
			into := somePage(data)
			for i := range into {
				into[i] = byte(random.Uint32())
			}
			return data
		}, false)
		f(fmt.Sprintf("a page in another's place, %d", n), func(data []byte) []byte {
			copy(somePage(data), somePage(data))
			return data
		}, false)
		f(fmt.Sprintf("some other bytes at the beginning of a page, %d", n), func(data []byte) []byte {
			into := somePage(data)
			for range 4 {
				into[random.IntN(128)] = byte(random.Uint32())
			}
			return data
		}, false)
	}
}
