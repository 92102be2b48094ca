package outbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDeliveryIsUnchangedAfterAReopen(t *testing.T) {
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	want := delivery("ann", 1)
	do(t, s, func(tx *Tx) { tx.Enqueue(want) })
	stop()

	s, _ = testStore(t, dir)
	due, _, err := s.Due("crm", at(0), 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	want.Seq, want.State = 1, Waiting
	if diff := cmp.Diff([]*Delivery{&want}, due, cmpopts.IgnoreFields(Delivery{}, "Lane", "Participant")); diff != "" {
		t.Errorf("delivery (-enqueued +read):\n%s", diff)
	}
}

func TestSecondDeliveryWithTheSameIDIsIgnored(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		if !tx.Enqueue(delivery("ann", 1)) {
			t.Error("the first was not added")
		}
	})
	do(t, s, func(tx *Tx) {
		if tx.Enqueue(delivery("ann", 1)) {
			t.Error("the second was added")
		}
	})
	if known, _ := s.Target("crm"); known.Pending != 1 {
		t.Errorf("%d are pending, want 1", known.Pending)
	}
}

func TestLaneIsSentOneByOne(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		for n := range 3 {
			tx.Enqueue(delivery("ann", n))
		}
		tx.Enqueue(delivery("bob", 0))
	})
	f := func(finish func(*Tx), want ...string) {
		t.Helper()
		do(t, s, finish)
		if diff := cmp.Diff(want, dueIDs(t, s, "crm", at(0))); diff != "" {
			t.Errorf("due deliveries (-want +got):\n%s", diff)
		}
	}
	f(func(*Tx) {}, "msg_ann_0", "msg_bob_0")
	f(func(tx *Tx) { tx.Retry(1, Attempt{At: at(0)}, Retry{Due: at(5)}) }, "msg_bob_0")
	f(func(tx *Tx) { tx.Dead(1, Attempt{At: at(1)}) }, "msg_ann_1", "msg_bob_0")
	f(func(tx *Tx) { tx.Delivered(2, Attempt{At: at(1)}) }, "msg_ann_2", "msg_bob_0")
	f(func(tx *Tx) { tx.Delivered(3, Attempt{At: at(1)}) }, "msg_bob_0")
	f(func(tx *Tx) { tx.Enqueue(delivery("ann", 3)) }, "msg_bob_0", "msg_ann_3")
}
