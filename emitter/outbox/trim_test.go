package outbox

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

const day = config.Duration(24 * time.Hour)

// largeDelivery makes a delivery with a body of 32 KiB.
func largeDelivery(n int) Delivery {
	d := delivery(fmt.Sprint(n), n)
	d.Body = bytes.Repeat([]byte("x"), 32<<10)
	return d
}

// statesOf counts the deliveries of crm by state.
func statesOf(t *testing.T, s *Store) (pending, dead, delivered uint64) {
	t.Helper()
	known, err := s.Target("crm")
	if err != nil {
		t.Fatal(err)
	}
	return known.Pending, known.Dead, known.Delivered
}

// openWith runs a store with a retention and a log.
func openWith(t *testing.T, dir string, retention config.Retention, log *bytes.Buffer) (s *Store, stop func()) {
	t.Helper()
	s = New(Options{Dir: dir, Retention: retention, Logger: slog.New(slog.NewTextHandler(log, nil))})
	stop = run(t, s)
	waitOpen(t, s)
	return s, stop
}

func TestEachKindIsKeptForItsRetention(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s, stop := testStore(t, dir)
	do(t, s, func(tx *Tx) {
		for n := range 6 {
			d := delivery(fmt.Sprint(n), n)
			d.Created = now.AddDate(-1, 0, 0) // age alone does not expire a pending one
			tx.Enqueue(d)
		}
		tx.Delivered(1, Attempt{At: now.AddDate(0, 0, -6)})
		tx.Delivered(2, Attempt{At: now.AddDate(0, 0, -8)})
		tx.Dead(3, Attempt{At: now.AddDate(0, 0, -89)})
		tx.Dead(4, Attempt{At: now.AddDate(0, 0, -91)})
		tx.PutJourney("3\x00young", []byte("{}"), now.AddDate(0, 0, -29))
		tx.PutJourney("3\x00old", []byte("{}"), now.AddDate(0, 0, -31))
		tx.MarkUnsettled("3\x00old", "run")
	})
	stop()
	s, _ = openWith(t, dir, config.Retention{Delivered: 7 * day, Dead: 90 * day, Journeys: 30 * day}, &bytes.Buffer{})
	if pending, dead, delivered := statesOf(t, s); pending != 2 || dead != 1 || delivered != 1 {
		t.Errorf("kept %d pending, %d dead, %d delivered; want 2, 1, 1", pending, dead, delivered)
	}
	for id, want := range map[string]bool{"msg_0_0": true, "msg_1_1": false, "msg_2_2": true, "msg_3_3": false, "msg_4_4": true} {
		if d := find(t, s, id); (d != nil) != want {
			t.Errorf("%s kept: %v, want %v", id, d != nil, want)
		}
	}
	do(t, s, func(tx *Tx) {
		_, young := tx.Journey("3\x00young")
		_, old := tx.Journey("3\x00old")
		if !young || old || len(tx.Unsettled("", 10)) != 0 {
			t.Errorf("journeys kept: young %v, old %v, unsettled %q", young, old, tx.Unsettled("", 10))
		}
	})
}

func TestStoreOverItsSizeDropsDeliveredThenDeadThenLosesNewDeliveries(t *testing.T) {
	const size = 2 << 20
	var log bytes.Buffer
	dir := t.TempDir()
	s, stop := openWith(t, dir, config.Retention{Size: size}, &log)
	n := 0
	enqueue := func(count int) {
		t.Helper()
		for range count {
			n++
			d := largeDelivery(n)
			do(t, s, func(tx *Tx) { tx.Enqueue(d) })
		}
	}
	finish := func(count int, how func(*Tx, uint64)) {
		t.Helper()
		list, _, err := s.List(Query{Target: "crm", States: []State{Waiting}, Limit: count})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			do(t, s, func(tx *Tx) { how(tx, d.Seq) })
		}
	}
	expect := func(what string, holds func(pending, dead, delivered uint64) bool) {
		t.Helper()
		pending, dead, delivered := statesOf(t, s)
		if !holds(pending, dead, delivered) {
			t.Errorf("%s: %d pending, %d dead, %d delivered", what, pending, dead, delivered)
		}
		if info, err := os.Stat(filepath.Join(dir, fileName)); err != nil || s.Stats().FileBytes > 2*size {
			t.Errorf("%s: the file has %d bytes, Stats reports %d (%v)", what, info.Size(), s.Stats().FileBytes, err)
		}
	}
	enqueue(20)
	finish(20, func(tx *Tx, seq uint64) { tx.Delivered(seq, Attempt{At: time.Now()}) })
	enqueue(20)
	finish(20, func(tx *Tx, seq uint64) { tx.Dead(seq, Attempt{At: time.Now()}) })
	expect("everything fits", func(_, dead, delivered uint64) bool { return dead == 20 && delivered == 20 })

	enqueue(30)
	expect("delivered ones are dropped first", func(pending, dead, delivered uint64) bool { return pending == 30 && dead == 20 && delivered < 10 })
	enqueue(20)
	expect("dead ones are dropped next", func(pending, dead, delivered uint64) bool { return pending == 50 && dead < 10 && delivered == 0 })
	if s.Stats().Lost != 0 {
		t.Errorf("%d lost while there was something to drop", s.Stats().Lost)
	}
	enqueue(40)
	lost := s.Stats().Lost
	expect("new ones are lost", func(pending, dead, delivered uint64) bool { return pending == 90-lost && lost > 15 && dead == 0 })
	do(t, s, func(tx *Tx) {
		tx.PutJourney("3\x00ann", []byte("{}"), time.Now())
		if tx.RedeliverTo(41, "erp", time.Now()) {
			t.Error("a copy was added to a full store")
		}
	})
	finish(20, func(tx *Tx, seq uint64) { tx.Delivered(seq, Attempt{At: time.Now()}) })
	enqueue(5)
	if s.Stats().Lost != lost {
		t.Errorf("%d more lost though there is room again", s.Stats().Lost-lost)
	}

	// A file that is mostly free does not count as full after a reopen.
	finish(100, func(tx *Tx, seq uint64) { tx.Discard(seq) })
	enqueue(10)
	finish(10, func(tx *Tx, seq uint64) { tx.Dead(seq, Attempt{At: time.Now()}) })
	stop()
	if !strings.Contains(log.String(), "new events are lost") {
		t.Errorf("the log does not report the loss:\n%s", log.String())
	}
	s, _ = openWith(t, dir, config.Retention{Size: size}, &log)
	expect("nothing was dropped", func(_, dead, _ uint64) bool { return dead == 10 })
}

func TestJourneysThatFillTheStoreLoseNoEvents(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	for n := range 40 {
		do(t, s, func(tx *Tx) { tx.PutJourney(fmt.Sprint("3\x00", n), make([]byte, 64<<10), time.Now()) })
	}
	stop()
	s, stop = openWith(t, dir, config.Retention{Size: 1 << 20}, &log)
	for n := range 40 {
		do(t, s, func(tx *Tx) { tx.Enqueue(delivery("ann", n)) })
	}
	if pending, _, _ := statesOf(t, s); pending != 40 || s.Stats().Lost != 0 {
		t.Errorf("%d pending and %d lost, want 40 and none", pending, s.Stats().Lost)
	}
	stop()
	if !strings.Contains(log.String(), "larger than retention.size") {
		t.Errorf("the log does not report the size:\n%s", log.String())
	}
}
