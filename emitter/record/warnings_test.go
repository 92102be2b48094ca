package record

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// lockChecker counts the lines of a log, and fails if one is written under the
// lock that every matched request needs.
type lockChecker struct {
	slog.Handler
	t       *testing.T
	flights *flights
	lines   []string
}

func (l *lockChecker) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

func (l *lockChecker) Handle(_ context.Context, r slog.Record) error {
	if !l.flights.mu.TryLock() {
		l.t.Errorf("%q is logged under the lock of flights", r.Message)
		return nil
	}
	l.flights.mu.Unlock()
	l.lines = append(l.lines, r.Message)
	return nil
}

// newUnwrittenRecorder returns a recorder whose state file is never opened.
func newUnwrittenRecorder(t *testing.T) (*Recorder, *lockChecker) {
	t.Helper()
	log := &lockChecker{Handler: slog.DiscardHandler, t: t}
	recorder := New(Options{
		Store:   outbox.New(outbox.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}),
		Profile: decsysProfile(t), Config: &config.Config{}, Logger: slog.New(log),
	})
	log.flights = recorder.flights
	return recorder, log
}

func TestALossIsLoggedOnceAndWithoutALockThatRequestsNeed(t *testing.T) {
	recorder, log := newUnwrittenRecorder(t)
	answer := []byte(`"` + strings.Repeat("x", 1<<20-2) + `"`)
	for range 70 { // more than the store keeps in memory
		end := recorder.Begin([]byte("POST"), []byte("/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS"))
		end(rules.Exchange{Status: 204, RequestBody: answer})
	}
	if recorder.store.Stats().Lost == 0 || len(log.lines) != 1 {
		t.Errorf("%d observations are lost and %d lines logged, want some and 1: %q", recorder.store.Stats().Lost, len(log.lines), log.lines)
	}
}

func TestAWarningIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder, log := newUnwrittenRecorder(t)
		f := func(want int) {
			t.Helper()
			end := recorder.Begin([]byte("POST"), []byte("/api/progress/5/3/p/next"))
			end(rules.Exchange{Status: 200, ContentType: "application/json", LacksRequest: "too large", LacksResponse: "too large"})
			if len(log.lines) != want {
				t.Errorf("%d lines, want %d: %q", len(log.lines), want, log.lines)
			}
		}
		f(1)
		f(1)
		time.Sleep(time.Minute - time.Nanosecond)
		f(1)
		time.Sleep(time.Nanosecond)
		f(2)
	})
}

func TestALineThatCannotBeWrittenHoldsUpOneRequestOnly(t *testing.T) {
	recorder, _ := newUnwrittenRecorder(t)
	for ok := true; ok; { // until the store takes no more
		_, ok = recorder.store.Submit(0, func(*outbox.Tx) {})
	}
	reader, writer := io.Pipe() // a full pipe behind stderr: a line waits for its reader
	recorder.log = slog.New(slog.NewTextHandler(writer, nil))
	exchange := func() {
		recorder.Begin([]byte("GET"), []byte("/api/progress/5/3/p"))(page(showPage1))
	}
	var held sync.WaitGroup
	held.Go(exchange)
	line := make([]byte, 4096)
	n, err := reader.Read(line[:1]) // the rest of the line waits
	if err != nil {
		t.Fatal(err)
	}
	other := make(chan struct{})
	go func() { exchange(); close(other) }()
	select {
	case <-other:
	case <-time.After(20 * time.Second):
		t.Fatal("another request waits for the log line of the first")
	}
	m, err := reader.Read(line[n:])
	if err != nil {
		t.Fatal(err)
	}
	held.Wait()
	if text := string(line[:n+m]); strings.Count(text, "\n") != 1 || !strings.Contains(text, "observations are lost") || !strings.Contains(text, `reason="not opened yet"`) {
		t.Errorf("the log is %q, want one line about the loss", text)
	}
}
