package record

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/config"
)

// fullStore returns a store that is not running and whose queue is full, so that
// it refuses all further changes.
func fullStore(t *testing.T) *outbox.Store {
	t.Helper()
	store := outbox.New(outbox.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	for {
		if _, ok := store.Submit(0, func(*outbox.Tx) {}); !ok {
			return store
		}
	}
}

func TestLostObservationIsLoggedOnceWithoutHoldingUpOtherRequests(t *testing.T) {
	reader, writer := io.Pipe() // a full pipe behind stderr: a line waits for its reader
	recorder := NewRecorder(RecorderOptions{
		Store: fullStore(t), Profile: decsysProfile(t), Config: &config.Config{Durability: config.Strict},
		Logger: slog.New(slog.DiscardHandler),
	})
	recorder.complain = newComplaints(slog.New(slog.NewTextHandler(writer, nil)), time.Now)
	exchange := func() {
		end := recorder.Begin([]byte("GET"), []byte("/api/progress/5/3/p"))
		end(page(showPage1))
	}
	first := make(chan struct{})
	go func() { exchange(); close(first) }()
	line := make([]byte, 4096)
	n, err := reader.Read(line[:1]) // the rest of the line stays in the pipe
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	second := make(chan struct{})
	go func() { exchange(); close(second) }()
	select {
	case <-second:
	case <-ctx.Done():
		t.Fatal("a second request waits for the log line of the first")
	}
	m, err := reader.Read(line[n:])
	if err != nil {
		t.Fatal(err)
	}
	<-first
	if text := string(line[:n+m]); strings.Count(text, "\n") != 1 || !strings.Contains(text, "observations are lost") || !strings.Contains(text, `reason="not opened yet"`) {
		t.Errorf("the log is %q, want one line about the loss", text)
	}
}
