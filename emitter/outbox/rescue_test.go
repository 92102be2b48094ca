package outbox

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules/config"
)

// rescues is how many files have a page damaged at random.
const rescues = 60

// pagesOf returns the numbers of the pages that a file needs, but for its root.
func pagesOf(t *testing.T, path string) (pages []int) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	roots, err := readRoots(file)
	if err != nil {
		t.Fatal(err)
	}
	i := inspector{file: file, pageSize: roots[0].pageSize, seen: make([]bool, roots[0].pages)}
	if err := i.tree(roots[0].page, 0, keyRange{}); err != nil {
		t.Fatal(err)
	}
	for n, isSeen := range i.seen {
		if isSeen && uint64(n) != roots[0].page {
			pages = append(pages, n)
		}
	}
	return pages
}

// A page that makes no sense costs what it had. Everything else is sent once, in
// order, and the file that has it works.
func TestDamagedPageCostsWhatItHad(t *testing.T) {
	whole := storeToDamage(t)
	dir := t.TempDir()
	writeState(t, dir, whole)
	pages, size := pagesOf(t, filepath.Join(dir, fileName)), os.Getpagesize()
	for seed := range uint64(rescues) {
		t.Run(fmt.Sprint("run ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 11))
			at := pages[random.IntN(len(pages))] * size
			data := bytes.Clone(whole[fileName])
			least := 40
			if leadsToOthers := page(data[at:]).kind() == branchPage; leadsToOthers {
				least = 0
			}
			switch into := data[at : at+size]; random.IntN(3) {
			case 0:
				clear(into)
			case 1:
				for i := range into {
					into[i] = byte(random.Uint32())
				}
			case 2:
				copy(into, data[pages[random.IntN(len(pages))]*size:][:size])
			}
			dir := t.TempDir()
			writeState(t, dir, files{fileName: data})
			s, stop := testStore(t, dir)
			sent := func() (total int) {
				for target, of := range drainAll(t, s) {
					total += len(of)
					seen, last := map[string]bool{}, map[string]uint64{}
					for _, d := range of {
						lane := strings.Split(d.ID, "_")[1]
						if seen[d.ID] || last[lane] > d.Seq || !strings.HasSuffix(d.ID, target) {
							t.Errorf("%s: delivery %d (%s) is sent again, or after %d", target, d.Seq, d.ID, last[lane])
						}
						seen[d.ID], last[lane] = true, d.Seq
					}
				}
				return total
			}
			if n := sent(); n > 98 || n < least {
				t.Errorf("%d deliveries were sent, of 98 and with one page gone; want %d at least", n, least)
			}
			if kept, isKept := readState(t, dir)[fileName+asideSuffix]; isKept && !bytes.Equal(kept, data) {
				t.Error("the file that was kept is another one")
			}
			do(t, s, func(tx *Tx) {
				for n := range 50 {
					tx.Enqueue(sized("crm", fmt.Sprint("new", n%7), 1000+n, 100))
				}
			})
			if n := sent(); n != 50 {
				t.Errorf("%d of 50 later deliveries were sent", n)
			}
			stop()
		})
	}
}

func TestDamagedFileIsKeptUntilAScrub(t *testing.T) {
	var log bytes.Buffer
	whole := storeToDamage(t)
	dir := t.TempDir()
	writeState(t, dir, whole)
	pages := pagesOf(t, filepath.Join(dir, fileName))
	clear(whole[fileName][pages[len(pages)-1]*os.Getpagesize():])
	writeState(t, dir, whole)
	if _, err := Check(dir); err == nil || !strings.Contains(err.Error(), "the next start goes on with what the others have") {
		t.Errorf("a check says %v", err)
	}
	s, _ := openWith(t, dir, config.Retention{}, &log)
	waitAudited(t, s)
	if _, isKept := readState(t, dir)[fileName+asideSuffix]; !isKept || !strings.Contains(log.String(), "the state file is damaged") {
		t.Errorf("kept: %v; the log has\n%s", isKept, log.String())
	}
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, isKept := readState(t, dir)[fileName+asideSuffix]; isKept {
		t.Error("a scrub keeps the damaged file")
	}
}
