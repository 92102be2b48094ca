package outbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

func TestChangesWaitForTheStoreToOpenAndKeepTheirOrder(t *testing.T) {
	s := newStore(t, t.TempDir(), config.Retention{})
	var order []int
	var last <-chan struct{}
	for n := range 100 {
		done, ok := s.Submit(0, func(*Tx) { order = append(order, n) })
		if !ok {
			t.Fatal("the queue is full")
		}
		last = done
	}
	run(t, s)
	<-last
	for n, got := range order {
		if got != n {
			t.Fatalf("change %d came in place %d", got, n)
		}
	}
}

func TestChangeThatFindsTheQueueFullIsLostAndCounted(t *testing.T) {
	s := newStore(t, t.TempDir(), config.Retention{})
	for range maxWaiting {
		if _, ok := s.Submit(0, func(*Tx) {}); !ok {
			t.Fatal("the queue is full")
		}
	}
	if _, ok := s.Submit(0, func(*Tx) {}); ok || s.Stats().Lost != 1 {
		t.Errorf("ok %v, %d lost; want it lost and counted", ok, s.Stats().Lost)
	}
	run(t, s)
	waitOpen(t, s)
}

func TestPanickingChangeTakesNoOtherWithIt(t *testing.T) {
	s := newStore(t, t.TempDir(), config.Retention{})
	for n := range 10 {
		s.Submit(0, func(tx *Tx) {
			tx.Enqueue(delivery(fmt.Sprint(n), n))
			if n == 5 {
				panic("canary")
			}
		})
	}
	run(t, s)
	waitOpen(t, s)
	if got := dueIDs(t, s, "crm", at(60)); len(got) != 9 || s.Stats().Dropped != 1 {
		t.Errorf("%d deliveries and %d dropped, want 9 and 1", len(got), s.Stats().Dropped)
	}
}

func TestAfterIsCalledOnceTheChangeIsOnDisk(t *testing.T) {
	s := newStore(t, t.TempDir(), config.Retention{})
	var calls int
	s.Submit(0, func(tx *Tx) {
		tx.After(func() { calls += 100 })
		panic("canary") // which makes the others run again
	})
	done, _ := s.Submit(0, func(tx *Tx) { tx.After(func() { calls++ }) })
	stop := run(t, s)
	<-done
	stop()
	if commits := s.Stats().Commits; calls != 1 || commits == 0 {
		t.Errorf("%d calls after %d commits, want 1 by the change that was committed", calls, commits)
	}
}

func TestCommitIsBoundedInTime(t *testing.T) {
	s := newStore(t, t.TempDir(), config.Retention{})
	var last <-chan struct{}
	for n := range 8 {
		last, _ = s.Submit(0, func(tx *Tx) {
			tx.MarkUnsettled(fmt.Sprint(n), "run")
			time.Sleep(maxBatchTime / 2)
		})
	}
	run(t, s)
	<-last
	if commits := s.Stats().Commits; commits < 3 {
		t.Errorf("changes that take 4 times as long as a commit may are made by %d commits, want 4 or more", commits)
	}
}

func TestOnlyChangesThatNobodyWaitsForAreCountedAsLost(t *testing.T) {
	f := func(lost uint64, submit func(context.Context, *Store)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) { // which makes the time for the last attempts pass at once
			s := newStore(t, filepath.Join(os.DevNull, "state"), config.Retention{}) // where nothing can be written
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			submit(ctx, s)
			err := s.Run(ctx)
			if got := s.Stats().Lost; got != lost || (err != nil) != (lost > 0) {
				t.Errorf("%d changes are lost, want %d; error %v", got, lost, err)
			}
		})
	}

	f(0, func(context.Context, *Store) {})
	f(0, func(ctx context.Context, s *Store) { _ = s.Do(ctx, func(*Tx) {}) })
	f(1, func(_ context.Context, s *Store) { s.Submit(0, func(*Tx) {}) })
}

// endingContext ends when it is asked for the nth time whether it has ended,
// right after it has called before.
type endingContext struct {
	context.Context
	end    context.CancelFunc
	before func()
	n      atomic.Int32
}

func (c *endingContext) Err() error {
	if c.n.Add(-1) == 0 {
		c.before()
		c.end()
	}
	return c.Context.Err()
}

func TestChangeThatComesAtTheLastMomentIsRefusedOrCommitted(t *testing.T) {
	for n := range int32(4) {
		s := newStore(t, t.TempDir(), config.Retention{})
		parent, end := context.WithCancel(t.Context())
		ctx := &endingContext{Context: parent, end: end}
		ctx.n.Store(n + 1)
		isAccepted, isCommitted := false, false
		ctx.before = func() {
			_, isAccepted = s.Submit(0, func(tx *Tx) { tx.After(func() { isCommitted = true }) })
		}
		time.AfterFunc(100*time.Millisecond, end) // a writer that is idle does not ask
		if err := s.Run(ctx); err != nil {
			t.Errorf("end at question %d: %v", n+1, err)
		}
		if isAccepted != isCommitted {
			t.Errorf("end at question %d: accepted %v, committed %v", n+1, isAccepted, isCommitted)
		}
	}
}
