package jetstream

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestPermissionThatIsLackingIsLoggedWithoutSecrets(t *testing.T) {
	s := newServers(t, 1)
	s.stop(0)
	s.options[0].Users = []*server.User{{
		Username: "hooker", Password: "sekrit",
		Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"app.>"}}},
	}}
	s.start(0)
	var log logBuffer
	c, err := Open(Options{
		Servers: []string{strings.Replace(s.urls()[0], "nats://", "nats://hooker:sekrit@", 1)}, App: "app", MaxBytes: 64 << 20,
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.Save(ctx, "snapshot", strings.NewReader("content")); !errors.Is(err, errDenied) || ctx.Err() != nil {
		t.Errorf("Save returned %v", err)
	}
	writing, cancel := context.WithTimeout(ctx, callTimeout/4)
	defer cancel()
	if _, err := c.Write(writing, 0, []byte("entry")); !errors.Is(err, errDenied) || strings.Contains(err.Error(), "sekrit") {
		t.Errorf("Write returned %v", err)
	}
	if text := log.String(); strings.Contains(text, "sekrit") || strings.Count(text, "\n") != 1 {
		t.Errorf("it logged %q", text)
	}
}
