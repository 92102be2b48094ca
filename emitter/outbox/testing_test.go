package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

// deadline is when a test gives up. No test waits for it to pass.
const deadline = 20 * time.Second

// testStore runs a store on dir until the test or stop ends it.
func testStore(t testing.TB, dir string) (s *Store, stop func()) {
	t.Helper()
	s = newStore(t, dir, config.Retention{})
	stop = run(t, s)
	waitOpen(t, s)
	return s, stop
}

func newStore(t testing.TB, dir string, retention config.Retention) *Store {
	t.Helper()
	return New(Options{Dir: dir, Retention: retention, Logger: slog.New(slog.DiscardHandler)})
}

// run runs a store and returns a function that stops it, which must succeed.
func run(t testing.TB, s *Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// do makes a change and waits until it is on disk.
func do(t testing.TB, s *Store, fn func(*Tx)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := s.Do(ctx, fn); err != nil {
		t.Fatalf("cannot make a change: %v", err)
	}
}

// waitOpen waits until changes are written.
func waitOpen(t testing.TB, s *Store) {
	t.Helper()
	do(t, s, func(*Tx) {})
}

// delivery makes the n-th delivery of a lane to the target crm.
func delivery(lane string, n int) Delivery {
	return Delivery{
		ID: fmt.Sprintf("msg_%s_%d", lane, n), Target: "crm", Rule: "all", Lane: lane, Event: "page_navigation", Survey: "12/3",
		Body: fmt.Appendf(nil, `{"lane":%q,"n":%d}`, lane, n), ContentType: "application/json",
		Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		Created:     at(n),
	}
}

// at returns the time n seconds after a fixed one.
// seen is the mark of a small journey without events.
func seen(last time.Time) Mark { return Mark{LastExchange: last} }

// eventful is the mark of a journey of that size that has led to an event.
func eventful(last time.Time, size int) Mark {
	return Mark{LastExchange: last, Size: size, HasEvents: true}
}

// waitAudited waits until nothing damaged waits to be set aside or repaired.
func waitAudited(t testing.TB, s *Store) {
	t.Helper()
	for isRunning := true; isRunning; {
		do(t, s, func(tx *Tx) { isRunning = s.writer.audit.isRunning() || tx.startAudit })
	}
}

func at(n int) time.Time { return time.Date(2026, 11, 23, 12, 0, n, 0, time.UTC) }

// dueIDs returns the ids of the deliveries that are due at a time.
func dueIDs(t testing.TB, s *Store, target string, now time.Time) (ids []string) {
	t.Helper()
	due, _, err := s.Due(target, now, 1000, nil)
	if err != nil {
		t.Fatalf("cannot read due deliveries: %v", err)
	}
	for _, d := range due {
		ids = append(ids, d.ID)
	}
	return ids
}

// find returns the delivery with this id whole, nil if there is none. If it was
// copied to other targets, it is the original.
func find(t testing.TB, s *Store, id string) *Delivery {
	t.Helper()
	found, _, err := s.List(Query{ID: id})
	if err != nil {
		t.Fatalf("cannot find %s: %v", id, err)
	}
	if len(found) == 0 {
		return nil
	}
	d, err := s.Load(found[0].Seq)
	if err != nil {
		t.Fatalf("cannot load %s: %v", id, err)
	}
	return d
}

// seqOf returns the seq of the delivery with this id.
func seqOf(t testing.TB, s *Store, id string) uint64 {
	t.Helper()
	d := find(t, s, id)
	if d == nil {
		t.Fatalf("there is no %s", id)
	}
	return d.Seq
}
