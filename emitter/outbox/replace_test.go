package outbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// closedState makes a state directory whose journal and file both have something of
// one participant, and returns its path.
func closedState(t *testing.T, who string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s, stop := testStore(t, dir)
	do(t, s, func(tx *Tx) { tx.PutJourney("3\x00"+who, []byte(who+"-canary"), seen(at(0))) })
	if err := s.eraseJournal(t.Context()); err != nil { // so that the file has it
		t.Fatal(err)
	}
	do(t, s, func(tx *Tx) { tx.PutJourney("4\x00"+who, []byte(who+"-canary"), seen(at(0))) })
	left := readLive(t, s, dir)
	stop()
	writeState(t, dir, left)
	return dir
}

// A crash between any two steps leaves all of the old state or all of the new.
func TestReplacedStateFileIsWholeAfterEachStep(t *testing.T) {
	steps := len(replacing{}.steps())
	for crash := range steps + 1 {
		t.Run(fmt.Sprintf("after %d steps", crash), func(t *testing.T) {
			dir, newer := closedState(t, "ann"), closedState(t, "bob")
			s, stop := testStore(t, newer)
			path := filepath.Join(dir, fileName+loadedSuffix)
			copied, err := s.engine.Load().copyTo(path, ending{ctx: t.Context()})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(closeDB(copied), FinishCopy(path)); err != nil {
				t.Fatal(err)
			}
			stop()
			for _, step := range (replacing{dir}).steps()[:crash] {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
			isNew := crash >= 2
			s, _ = testStore(t, dir)
			for who, want := range map[string]bool{"ann": !isNew, "bob": isNew} {
				keys, err := s.JourneyKeys("", "\x00"+who)
				if has := len(keys) == 2; err != nil || has != want {
					t.Errorf("it has %q of %s (%v), want them %t", keys, who, err, want)
				}
			}
			if n := countIn(t, dir, "ann-canary"); isNew && n > 0 {
				t.Errorf("%d pieces of the old file are left", n)
			}
			for _, suffix := range []string{loadedSuffix, replacedSuffix} {
				if _, err := os.Stat(filepath.Join(dir, fileName+suffix)); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s is left (%v)", suffix, err)
				}
			}
		})
	}
}
