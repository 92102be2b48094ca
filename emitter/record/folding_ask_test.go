package record

import (
	"context"
	"testing"
)

func TestABatchWaitsOnceForWhatNeverComes(t *testing.T) {
	f := &folding{lastK: map[string]uint64{"a": 1}, passed: map[string]uint64{}}
	replies := []replyFrom{{orderAnswer: orderAnswer{Queues: []knownQueue{{Incarnation: "a", Acked: 2}}}}}
	b := &batch{folding: f}
	if b.hasRead(replies) {
		t.Error("it does not wait for what has arrived")
	}
	b.pass(replies)
	if next := (&batch{folding: f}); !next.hasRead(replies) {
		t.Error("the next one waits for what never comes")
	}
	replies[0].Queues[0].Acked = 3
	if b.hasRead(replies) {
		t.Error("it does not wait for what has arrived since")
	}
}

func TestTasksAreKeptWhenFoldingEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &folding{Recorder: &Recorder{tasks: make(chan foldTask, maxTasks)}, deferred: []foldTask{{participants: []string{"p"}}}}
	if err := f.step(ctx); err == nil || len(f.deferred) != 1 {
		t.Errorf("%d tasks are left (%v), want 1", len(f.deferred), err)
	}
}
