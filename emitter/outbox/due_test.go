package outbox

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestOldestRetryIsOneThatTheTargetDidNotPutOff(t *testing.T) {
	s, stop := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		for n := range 5 {
			tx.Enqueue(delivery(fmt.Sprint("lane", n), n))
		}
		tx.Retry(2, Attempt{At: at(1)}, Retry{Due: at(100), FromRetryAfter: true})
		tx.Retry(3, Attempt{At: at(1)}, Retry{Due: at(300)})
		tx.Retry(4, Attempt{At: at(1)}, Retry{Due: at(200)})
	})
	f := func(want uint64, busy ...uint64) {
		t.Helper()
		isBusy := func(seq uint64) bool { return slices.Contains(busy, seq) }
		d, err := s.OldestRetry("crm", isBusy)
		if err != nil || d == nil && want != 0 || d != nil && d.Seq != want {
			t.Errorf("with %d busy: got %+v, %v; want %d", busy, d, err, want)
		}
	}
	f(3)
	f(4, 3)
	f(0, 3, 4)
	do(t, s, func(tx *Tx) { tx.Retry(2, Attempt{At: at(2)}, Retry{Due: at(400)}) })
	f(2)
	do(t, s, func(tx *Tx) { tx.Retry(2, Attempt{At: at(2)}, Retry{Due: at(500), FromRetryAfter: true}) })
	f(3)
	do(t, s, func(tx *Tx) { tx.Delivered(3, Attempt{At: at(3)}); tx.Dead(4, Attempt{At: at(3)}) })
	f(0)
	stop()
	s, _ = testStore(t, s.options.Dir)
	do(t, s, func(tx *Tx) { tx.Delivered(1, Attempt{At: at(3)}); tx.Delivered(5, Attempt{At: at(3)}) })
	if oldest, err := s.Oldest("crm", nil); err != nil || oldest == nil || oldest.Seq != 2 {
		t.Errorf("the oldest is %+v, %v; want the one put off", oldest, err)
	}
}

func TestRetryOfAnEarlyReleaseThatWasPutOffLeavesItsClass(t *testing.T) {
	s, _ := testStore(t, unpackFormat1(t))
	do(t, s, func(tx *Tx) {
		tx.Retry(3, Attempt{At: at(1)}, Retry{Due: time.Now().Add(time.Hour), FromRetryAfter: true})
	})
	if d, err := s.OldestRetry("crm", nil); err != nil || d != nil {
		t.Errorf("%+v, %v; want none", d, err)
	}
}

func TestParticipantStandsForTheOwner(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		for n, owner := range []string{"ann", "ann", "bob"} {
			d := delivery(fmt.Sprint("lane", n), n)
			d.Owner = owner
			tx.Enqueue(d)
		}
		d := delivery("", 4)
		tx.Enqueue(d)
	})
	due, _, err := s.Due("crm", at(10), 10, nil)
	if err != nil || len(due) != 4 {
		t.Fatalf("%d are due, %v; want 4", len(due), err)
	}
	if due[0].Participant != due[1].Participant || due[0].Participant == due[2].Participant || due[3].Participant != 0 {
		t.Errorf("participants %x, %x, %x and %x, want the first two the same and the last zero", due[0].Participant, due[1].Participant, due[2].Participant, due[3].Participant)
	}
}

func TestDeliveryThatIsRetriedNowIsDueNow(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		tx.Enqueue(delivery("ann", 1))
		tx.Enqueue(delivery("ann", 2))
		tx.Retry(1, Attempt{At: time.Now(), Status: 503}, Retry{Due: time.Now().Add(time.Hour), FromRetryAfter: true})
	})
	f := func(seq uint64, isRetried bool, due ...string) {
		t.Helper()
		var got bool
		do(t, s, func(tx *Tx) { got = tx.RetryNow(seq) })
		if ids := dueIDs(t, s, "crm", time.Now().Add(time.Minute)); got != isRetried || !slices.Equal(ids, due) {
			t.Errorf("delivery %d is retried: %v, and %v are due; want %v and %v", seq, got, ids, isRetried, due)
		}
	}
	f(9, false)
	f(2, false) // it is behind the first
	f(1, true, "msg_ann_1")
	f(1, false, "msg_ann_1")
}
