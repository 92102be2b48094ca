package outbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiscardedDeliveryIsNotSentAndTheNextOneIs(t *testing.T) {
	s := storeInAllStates(t)
	before := s.Withdrawals()
	do(t, s, func(tx *Tx) {
		if !tx.Discard(7) || tx.Discard(7) { // behind
			t.Error("a delivery is discarded once")
		}
	})
	if s.Withdrawals() == before {
		t.Error("Withdrawals did not change")
	}
	do(t, s, func(tx *Tx) { tx.Enqueue(delivery("ann", 8)); tx.Discard(6) }) // the head
	if diff := cmp.Diff([]string{"msg_ann_8"}, dueIDs(t, s, "crm", at(0))); diff != "" {
		t.Errorf("due deliveries (-want +got):\n%s", diff)
	}
	do(t, s, func(tx *Tx) { tx.Discard(1); tx.Discard(4); tx.Retry(6, Attempt{}, Retry{Due: at(1)}) })
	known, _ := s.Target("crm")
	if known.Pending != 1 || known.Dead != 1 || known.Delivered != 2 {
		t.Errorf("the target has %+v", known)
	}
	if known.PendingBytes == 0 || known.PendingBytes > 600 {
		t.Errorf("%d bytes are pending, want those of one delivery", known.PendingBytes)
	}
	do(t, s, func(tx *Tx) { tx.Discard(9) })
	if known, _ = s.Target("crm"); known.PendingBytes != 0 {
		t.Errorf("%d bytes are pending, want 0", known.PendingBytes)
	}
}
