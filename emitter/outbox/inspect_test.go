package outbox

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// damages is how many files are damaged at random in each way.
const damages = 40

// Whatever is broken in the file, the process lives, and the store works or
// reports why it does not.
func TestDamagedFileIsReportedAndEndsNothing(t *testing.T) {
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	for n := range 200 {
		do(t, s, func(tx *Tx) { tx.Enqueue(delivery(fmt.Sprint(n%10), n)) })
	}
	stop()
	whole := readState(t, dir)[fileName]
	f := func(name string, damage func(data []byte) []byte, isReported bool) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeState(t, dir, files{fileName: damage(bytes.Clone(whole))})
			s := runUnopened(t, dir)
			if reason := reasonOf(t, s); isReported && !strings.Contains(reason, "damaged") {
				t.Errorf("reason %q, want it to report the damage", reason)
			}
			for _, state := range []State{Waiting, Delivered} {
				_, _, _ = s.List(Query{Target: "crm", States: []State{state}, Limit: 1000})
			}
			_, _, _ = s.Due("crm", at(0), 1000, nil)
		})
	}
	page := os.Getpagesize()
	for _, length := range []int{1, 100, page, 2 * page, 3 * page} {
		f(fmt.Sprintf("cut to %d bytes", length), func(data []byte) []byte { return data[:length] }, true)
	}
	f("cut in half", func(data []byte) []byte { return data[:len(bytes.TrimRight(data, "\x00"))/2] }, false) // it ends with zeros
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
		f(fmt.Sprintf("a page in the place of another, %d", n), func(data []byte) []byte {
			copy(somePage(data), somePage(data))
			return data
		}, false)
		f(fmt.Sprintf("some bytes changed at the beginning of a page, %d", n), func(data []byte) []byte {
			into := somePage(data)
			for range 4 {
				into[random.IntN(128)] = byte(random.Uint32())
			}
			return data
		}, false)
	}
}
