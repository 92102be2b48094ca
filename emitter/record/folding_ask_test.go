package record

import (
	"context"
	"testing"
)

func TestTasksAreKeptWhenFoldingEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &folding{Recorder: &Recorder{tasks: make(chan foldTask, maxTasks)}, deferred: []foldTask{{participants: []string{"p"}}}}
	if err := f.step(ctx); err == nil || len(f.deferred) != 1 {
		t.Errorf("%d tasks are left (%v), want 1", len(f.deferred), err)
	}
}
