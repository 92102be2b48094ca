package outbox

import (
	"testing"
	"time"
)

func TestRedeliveriesKeepTheirPaceAndFreshDeliveriesGoFirst(t *testing.T) {
	s := storeInAllStates(t)
	now := time.Now()
	do(t, s, func(tx *Tx) {
		if !tx.Redeliver(1, now) || !tx.Redeliver(4, now.Add(time.Hour)) || tx.Redeliver(4, now) || tx.Redeliver(99, now) {
			t.Error("only finished deliveries can be redelivered, once")
		}
		tx.Hasten("crm", nil, 100)
	})
	due, next, err := s.Due("crm", now.Add(time.Second), 10, nil)
	if err != nil || len(due) != 2 || due[0].ID != "msg_ann_5" || due[1].ID != "msg_ann_0" || !next.Equal(fromNanos(nanos(now.Add(time.Hour)))) {
		t.Errorf("due %+v, next at %v, %v", due, next, err)
	}
	if due[0].Redelivered || !due[1].Redelivered {
		t.Errorf("redelivered: %v and %v, want only the second", due[0].Redelivered, due[1].Redelivered)
	}
	do(t, s, func(tx *Tx) { tx.Delivered(1, Attempt{At: at(200)}) })
	if got := find(t, s, "msg_ann_0"); got.State != Delivered || !got.Redelivered {
		t.Errorf("progress %+v", got.Progress)
	}
	if got := dueIDs(t, s, "crm", at(0)); len(got) != 1 || got[0] != "msg_ann_5" {
		t.Errorf("the redelivery promoted the lane: %q", got)
	}
}

func TestDeliveryIsCopiedToAnotherTarget(t *testing.T) {
	s := storeInAllStates(t)
	f := func(seq uint64, want bool) {
		t.Helper()
		do(t, s, func(tx *Tx) {
			if got := tx.RedeliverTo(seq, "erp", at(0)); got != want {
				t.Errorf("seq %d: %v, want %v", seq, got, want)
			}
		})
	}
	f(4, true)
	f(4, false) // already pending at erp
	f(6, true)  // pending at crm
	f(99, false)
	list, _, err := s.List(Query{ID: "msg_ann_3", Target: "erp"})
	if err != nil || len(list) != 1 {
		t.Fatalf("the copy is missing: %v, %v", list, err)
	}
	copied, err := s.Load(list[0].Seq)
	if err != nil {
		t.Fatal(err)
	}
	original := find(t, s, "msg_ann_3")
	if original.Target != "crm" || original.State != Dead || string(copied.Body) != string(original.Body) || copied.Rule != original.Rule || !copied.Redelivered || copied.State != Waiting {
		t.Errorf("original %+v\ncopy %+v", original, copied)
	}
	if got := listAll(t, s, Query{ID: "msg_ann_3", Limit: 9}); len(got) != 2 {
		t.Errorf("found %v, want both", got)
	}
	do(t, s, func(tx *Tx) { tx.Delivered(copied.Seq, Attempt{At: at(1)}); tx.Discard(original.Seq) })
	if again, _ := s.Load(copied.Seq); again == nil || again.State != Delivered {
		t.Errorf("discarding the original discarded the copy: %+v", again)
	}
	f(copied.Seq, true) // again
	if known, _ := s.Target("erp"); known.Pending != 3 || known.Delivered != 0 {
		t.Errorf("erp has %+v, want 3 pending", known)
	}
}
