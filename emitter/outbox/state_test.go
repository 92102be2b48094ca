package outbox

import (
	"testing"
)

// stateOf returns the state of a delivery, "none" if there is none.
func stateOf(t *testing.T, s *Store, id string) string {
	t.Helper()
	if d := find(t, s, id); d != nil {
		return d.State.String()
	}
	return "none"
}

func TestDeliveryGoesFromStateToState(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	f := func(step func(*Tx), first, second string) {
		t.Helper()
		do(t, s, step)
		if got := [2]string{stateOf(t, s, "msg_ann_1"), stateOf(t, s, "msg_ann_2")}; got != [2]string{first, second} {
			t.Errorf("the deliveries are %v, want %s and %s", got, first, second)
		}
	}
	failed := Attempt{At: at(1), Status: 500}
	f(func(tx *Tx) { tx.Enqueue(delivery("ann", 1)); tx.Enqueue(delivery("ann", 2)) }, "waiting", "behind")
	f(func(tx *Tx) { tx.Retry(1, failed, Retry{Due: at(2)}) }, "waiting", "behind")
	f(func(tx *Tx) { tx.ProbeFailed(1, failed) }, "waiting", "behind")
	f(func(tx *Tx) { tx.Delivered(2, failed); tx.Dead(2, failed) }, "waiting", "behind") // only the head is sent
	f(func(tx *Tx) { tx.Redeliver(1, at(3)) }, "waiting", "behind")
	f(func(tx *Tx) { tx.Dead(1, failed) }, "dead", "waiting")
	f(func(tx *Tx) { tx.Retry(1, failed, Retry{Due: at(2)}); tx.Delivered(1, failed) }, "dead", "waiting")
	f(func(tx *Tx) { tx.Redeliver(1, at(3)) }, "waiting", "waiting")
	f(func(tx *Tx) { tx.Delivered(1, Attempt{At: at(4)}) }, "delivered", "waiting")
	f(func(tx *Tx) { tx.Redeliver(1, at(5)); tx.Discard(2) }, "waiting", "none")
	f(func(tx *Tx) { tx.Discard(1) }, "none", "none")
}

// The file has these numbers and texts.
func TestStoredValuesOfStatesAndCausesStay(t *testing.T) {
	for number, name := range []string{"behind", "waiting", "delivered", "dead", "unknown"} {
		if got := State(number).String(); got != name {
			t.Errorf("state %d is %s, want %s", number, got, name)
		}
	}
	for cause, text := range map[Cause]string{
		CauseUnsubscribed: "the target said so", CauseFailing: "it only failed", CauseOperator: "by hand",
	} {
		if string(cause) != text {
			t.Errorf("the cause is %q, want %q", cause, text)
		}
	}
}
