package outbox

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sidehook/sidehook/rules/config"
)

// countIn counts the occurrences of a text in the files of a state directory.
func countIn(t *testing.T, dir, text string) (count int) {
	t.Helper()
	for _, content := range readState(t, dir) {
		count += bytes.Count(content, []byte(text))
	}
	return count
}

// fillForScrub stores journeys and deliveries of two participants and rewrites
// them often, so that old versions of them are all over the file.
func fillForScrub(t *testing.T, s *Store) {
	t.Helper()
	for n := range 60 {
		do(t, s, func(tx *Tx) {
			for _, who := range []string{"ann-canary", "bob-canary"} {
				tx.PutJourney("3\x00"+who, []byte(strings.Repeat(who+" ", 100*n)), seen(at(n)))
				d := delivery(who, n)
				d.Owner, d.Body = who, []byte(strings.Repeat(who+" says ", 20*n))
				tx.Enqueue(d)
			}
		})
	}
}

// forgetAnn deletes all records of one of the participants.
func forgetAnn(t *testing.T, s *Store) {
	t.Helper()
	owned, rest, err := s.Owned("ann-canary", 0)
	if err != nil || rest != 0 || len(owned) != 60 {
		t.Fatalf("found %d of 60 deliveries, %d, %v", len(owned), rest, err)
	}
	keys, err := s.JourneyKeys("", "\x00ann-canary")
	if err != nil || len(keys) != 1 {
		t.Fatalf("found journeys %q, %v", keys, err)
	}
	do(t, s, func(tx *Tx) {
		for _, d := range owned {
			tx.Discard(d.Seq)
		}
		if !tx.DropJourney(keys[0]) || tx.DropJourney(keys[0]) {
			t.Error("a journey is dropped once")
		}
	})
}

func TestScrubLeavesNothingDeletedInTheFile(t *testing.T) {
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	fillForScrub(t, s)
	forgetAnn(t, s)
	if countIn(t, dir, "ann-canary") == 0 {
		t.Fatal("nothing is left before the scrub, so that this test proves nothing")
	}
	size := s.Stats().FileBytes
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	do(t, s, func(*Tx) {})
	if grown := s.Stats().FileBytes - size; grown > 3*fillPages*int64(os.Getpagesize()) {
		t.Errorf("the file grew by %d bytes", grown)
	}
	if n := countIn(t, dir, "ann-canary"); n != 0 {
		t.Errorf("%d pieces are left in the file", n)
	}
	pending := listAll(t, s, Query{Limit: 1000})
	stop()
	if n := countIn(t, dir, "bob-canary"); n == 0 {
		t.Error("the other participant is gone too")
	}
	s, _ = testStore(t, dir)
	if again := listAll(t, s, Query{Limit: 1000}); len(again) != 60 || len(pending) != 60 {
		t.Errorf("%d deliveries are left, %d after a reopen, want 60", len(pending), len(again))
	}
}

func TestInterruptedScrubIsUndoneOnOpen(t *testing.T) {
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	do(t, s, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
	if err := s.engine.Load().update(func(tx *bolt.Tx) error { return fillFree(tx, 0) }); err != nil {
		t.Fatal(err)
	}
	stop()
	s, _ = testStore(t, dir)
	do(t, s, func(tx *Tx) {
		if tx.view.bolt.Bucket(fillerName) != nil {
			t.Error("the filler is still there")
		}
	})
	if err := s.Scrub(t.Context()); err != nil {
		t.Error(err)
	}
}

// The filler must not count towards the size of the file.
func TestScrubDropsNothingForTheSizeOfTheFile(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	for n := range 60 {
		do(t, s, func(tx *Tx) { tx.Enqueue(largeDelivery(n)) })
	}
	do(t, s, func(tx *Tx) {
		for seq := range uint64(50) {
			tx.Discard(seq + 1)
		}
		for seq := uint64(51); seq <= 60; seq++ {
			tx.Delivered(seq, Attempt{At: at(1)})
		}
	})
	stop()
	s, _ = openWith(t, dir, config.Retention{Size: 1 << 20}, &log)
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, delivered := statesOf(t, s); delivered != 10 {
		t.Errorf("%d of 10 are left", delivered)
	}
}

// As soon as one reader ends another has begun, so that the file is read all the time.
func TestScrubLeavesNothingWhileReadersComeAndGo(t *testing.T) {
	dir := t.TempDir()
	s, _ := testStore(t, dir)
	for n := range 20 {
		do(t, s, func(tx *Tx) {
			tx.PutJourney(fmt.Sprint("3\x00ann", n), []byte(strings.Repeat("ann-canary ", 100)), seen(at(n)))
		})
	}
	if err := s.eraseJournal(t.Context()); err != nil { // so that they are in the file
		t.Fatal(err)
	}
	do(t, s, func(tx *Tx) {
		for n := range 20 {
			tx.DropJourney(fmt.Sprint("3\x00ann", n))
		}
	})
	e := s.engine.Load()
	begin := func() *view {
		v, err := e.view()
		if err != nil {
			t.Error(err)
		}
		return v
	}
	ctx, cancel := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	current := begin()
	reading.Go(func() {
		for ctx.Err() == nil {
			next := begin()
			current.end()
			current = next
			runtime.Gosched()
		}
		current.end()
	})
	err := s.Scrub(t.Context())
	cancel()
	reading.Wait()
	if n := countIn(t, dir, "ann-canary"); err != nil || n != 0 {
		t.Errorf("%d pieces are left in the file (%v)", n, err)
	}
}
