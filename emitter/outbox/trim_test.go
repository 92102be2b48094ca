package outbox

import (
	"bytes"
	"fmt"
	"log/slog"
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
		tx.PutJourney("3\x00young", []byte("{}"), seen(now.AddDate(0, 0, -29)))
		tx.PutJourney("3\x00old", []byte("{}"), seen(now.AddDate(0, 0, -31)))
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
