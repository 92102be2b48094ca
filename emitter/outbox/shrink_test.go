package outbox

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

func TestIdleFileThatIsMostlyFreeGivesItsSpaceBack(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir, config.Retention{})
	s.shrinkIdle = time.Millisecond
	stop := run(t, s)
	for from := 0; from < 800; from += 100 {
		do(t, s, func(tx *Tx) {
			for n := from; n < from+100; n++ {
				tx.Enqueue(largeDelivery(n))
			}
		})
	}
	do(t, s, func(tx *Tx) {
		for seq := range uint64(790) {
			tx.Discard(seq + 1)
		}
	})
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if err := s.eraseJournal(t.Context()); err != nil { // so that the file has everything
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, fileName))
		if err == nil && info.Size() < 2<<20 {
			break
		}
		if time.Since(began) > deadline {
			t.Fatalf("the file has %d bytes (%v)", info.Size(), err)
		}
	}
	if pending, _, _ := statesOf(t, s); pending != 10 {
		t.Errorf("%d are pending, want 10", pending)
	}
	do(t, s, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
	left := readLive(t, s, dir)
	stop()
	for name, state := range map[string]files{"kill": left, "stop": readState(t, dir)} {
		writeState(t, dir, state)
		s, stop = testStore(t, dir)
		if pending, _, _ := statesOf(t, s); pending != 11 {
			t.Errorf("%d are pending after a %s, want 11", pending, name)
		}
		stop()
	}
	if left := fmt.Sprint(len(readState(t, dir))); left != "1" {
		t.Errorf("%s files are left, want one", left)
	}
}

// Changes, readers and checkpoints go on while a file is shrunk.
func TestShrinkingIsGivenUpWhenTheJournalIsFull(t *testing.T) {
	s, stop := testStore(t, t.TempDir())
	stop()
	w := &s.writer
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	defer w.close()
	w.trimmer.fileBytes, s.shrinkIdle = shrinkAbove+1, 0
	if w.shrinkIfWorthwhile(); w.engine.shrinking == nil || s.exclusive.TryLock() {
		t.Fatal("it was not begun, or a backup could be made at the same time")
	}
	w.engine.journal.length = w.engine.journal.limit
	if err := w.makeRoom(); err != nil || w.engine.shrinking != nil || !s.exclusive.TryLock() {
		t.Errorf("it was not given up (%v)", err)
	}
	s.exclusive.Unlock()
}
