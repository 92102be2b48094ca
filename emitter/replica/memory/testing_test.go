package memory

import (
	"context"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
)

var (
	_ outbox.Log   = (*Connection)(nil)
	_ replica.Link = (*Connection)(nil)
)

// within returns a context that ends after a time of the test's bubble.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// must fails the test for an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
