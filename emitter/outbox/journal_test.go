package outbox

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

// killed fills a store and returns its files as kill -9 leaves them: with all
// deliveries in the journal.
func killed(t *testing.T, count int) files {
	t.Helper()
	dir := t.TempDir()
	s, _ := testStore(t, dir)
	for n := range count {
		do(t, s, func(tx *Tx) { tx.Enqueue(delivery("ann", n)) })
	}
	return readLive(t, s, dir)
}

func TestJournalIsTakenUpAfterAKill(t *testing.T) {
	dir := t.TempDir()
	writeState(t, dir, killed(t, 20))
	s, stop := testStore(t, dir)
	if pending, _, _ := statesOf(t, s); pending != 20 {
		t.Errorf("%d are pending, want 20", pending)
	}
	do(t, s, func(tx *Tx) { tx.Enqueue(delivery("ann", 20)) })
	stop()
	if left := readState(t, dir); len(left) != 1 {
		t.Errorf("%d files are left after an orderly stop, want the state file alone", len(left))
	}
	s, _ = testStore(t, dir)
	if pending, _, _ := statesOf(t, s); pending != 21 {
		t.Errorf("%d are pending, want 21", pending)
	}
}

// A backup that is put in the place of a state file must not take over a journal
// that is not its own.
func TestJournalOfAnotherStateFileIsIgnored(t *testing.T) {
	left, other := killed(t, 20), killed(t, 3)
	left[fileName] = other[fileName]
	dir := t.TempDir()
	writeState(t, dir, left)
	s, _ := testStore(t, dir)
	if known, err := s.Targets(); err != nil || len(known) != 0 {
		t.Errorf("the targets are %v, %v; want none", known, err)
	}
}

func TestDamagedJournalCostsWhatIsDamaged(t *testing.T) {
	var log bytes.Buffer
	left := killed(t, 20)
	const name = "journal-1"
	middle := bytes.Index(left[name], []byte(`"n":10}`))
	if middle < 0 {
		t.Fatal("the journal does not have what it should have")
	}
	left[name][middle]++
	dir := t.TempDir()
	writeState(t, dir, left)
	s, stop := openWith(t, dir, config.Retention{}, &log)
	waitAudited(t, s)
	if pending, _, _ := statesOf(t, s); pending != 19 {
		t.Errorf("%d are pending, want all but the damaged one", pending)
	}
	do(t, s, func(tx *Tx) { tx.Enqueue(delivery("bob", 1)) })
	again := readLive(t, s, dir)
	stop()
	if !strings.Contains(log.String(), "the journal is damaged") {
		t.Errorf("the log does not report the damage:\n%s", log.String())
	}
	if !bytes.Equal(again[name+asideSuffix], left[name]) {
		t.Error("the damaged file was not kept")
	}
	writeState(t, dir, again)
	s, _ = testStore(t, dir)
	if pending, _, _ := statesOf(t, s); pending != 20 {
		t.Errorf("%d are pending after another kill, want 20", pending)
	}
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, isKept := readState(t, dir)[name+asideSuffix]; isKept {
		t.Error("a scrub keeps the damaged file")
	}
}

func TestIdleStoreIsMovedToTheStateFile(t *testing.T) {
	dir := t.TempDir()
	s, _ := testStore(t, dir)
	do(t, s, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if bytes.Contains(readState(t, dir)[fileName], []byte("msg_ann_1")) {
			return
		}
		if time.Since(began) > deadline {
			t.Fatal("it is still in the journal alone")
		}
	}
}

func TestBackupHasOnlyWhatIsUsed(t *testing.T) {
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	for n := range 100 {
		do(t, s, func(tx *Tx) { tx.Enqueue(largeDelivery(n)) })
	}
	do(t, s, func(tx *Tx) {
		for seq := range uint64(99) {
			tx.Discard(seq + 1)
		}
	})
	var copied countingWriter
	if err := s.Backup(t.Context(), copied.begin); err != nil {
		t.Fatal(err)
	}
	if copied.size != copied.written || copied.size > 256<<10 {
		t.Errorf("wrote %d bytes of %d, want them all and fewer than 256 KiB", copied.written, copied.size)
	}
	stop()
	if left, _ := filepath.Glob(filepath.Join(dir, "*"+copySuffix)); len(left) > 0 {
		t.Errorf("the backup leaves %q", left)
	}
}

// countingWriter counts what is written.
type countingWriter struct{ size, written int64 }

func (w *countingWriter) begin(size int64) io.Writer { w.size = size; return w }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.written += int64(len(p))
	return len(p), nil
}
