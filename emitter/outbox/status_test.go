package outbox

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStatusHasAReasonWhileNothingIsWritten(t *testing.T) {
	f := func(s status, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, []string{s.phase.String(), s.reason()}); diff != "" {
			t.Errorf("phase and reason (-want +got):\n%s", diff)
		}
	}
	f(status{}, "opening", "not opened yet")
	f(status{phase: phaseOpen}, "open", "")
	f(status{phase: phaseFailed, err: errors.New("no space")}, "failed", "no space")
	f(status{phase: phaseClosed}, "closed", "stopped")
	f(status{phase: 9}, "unknown", "")
}

// A store that cannot commit is failed until a commit succeeds, even if the file
// can be opened, and logs each change of its phase once.
func TestStoreGoesFromPhaseToPhase(t *testing.T) {
	var log bytes.Buffer
	s := New(Options{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	w := &s.writer
	f := func(step func(), want phase) {
		t.Helper()
		if step(); s.status.phase != want {
			t.Errorf("the store is %s, want %s", s.status.phase, want)
		}
	}
	failure := errors.New("no space")
	f(func() {}, phaseOpening)
	f(func() { w.failed(failure) }, phaseFailed)
	f(w.working, phaseOpen)
	f(w.working, phaseOpen)
	f(func() { w.failed(failure) }, phaseFailed)
	f(func() { w.failed(failure) }, phaseFailed)
	f(w.working, phaseOpen)
	f(func() { s.setStatus(status{phase: phaseClosed}) }, phaseClosed)
	if got := strings.Count(log.String(), "cannot write the state file"); got != 1 {
		t.Errorf("three failures within a minute are logged %d times, want once:\n%s", got, log.String())
	}
	if got := strings.Count(log.String(), "can be written again"); got != 2 {
		t.Errorf("two recoveries are logged %d times:\n%s", got, log.String())
	}
}

func TestStoreIsFailedUntilACommitSucceeds(t *testing.T) {
	s, stop := testStore(t, t.TempDir())
	stop()
	w := &s.writer
	defer func() { w.close() }()
	step := func() (isOpen bool) {
		w.batch = []change{{apply: func(tx *Tx) { tx.MarkUnsettled("3\x00ann") }, done: make(chan struct{})}}
		if err := w.step(t.Context()); err != nil {
			w.failed(err)
		}
		isOpen, _ = s.State()
		return isOpen
	}
	if !step() {
		t.Fatal("the store does not open")
	}
	if err := w.engine.journal.files[1].Close(); err != nil { // so that commits fail
		t.Fatal(err)
	}
	for range 2 {
		if step() {
			t.Error("the store is open while its commits fail")
		}
	}
	w.close() // so that it opens the file again
	if step() {
		t.Error("the store was open before a commit succeeded")
	}
	if !step() {
		t.Error("the store is not open after a commit succeeded")
	}
}
