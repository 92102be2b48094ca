package deliver

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/emitter/outbox"
)

func TestADeliveryDiscardedAfterItWasReadIsNotSent(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Concurrency = 1
		r.targets["crm"] = target
		r.crm().setLatency(time.Second)
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "d2")
		r.advance(time.Millisecond)
		r.write(func(tx *outbox.Tx) { tx.Discard(1); tx.Discard(3); tx.Discard(4) })
		r.advance(time.Minute)
		got := r.crm().ids()
		if diff := cmp.Diff([]string{"a1", "b1", "d2"}, got); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

func TestRedeliveriesGoAtTheirPaceAndAfterNewDeliveries(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Concurrency = 1
		r.targets["crm"] = target
		r.start()
		r.enqueue("a1", "b1", "c1")
		r.advance(time.Second)
		r.crm().setLatency(10 * time.Millisecond)
		r.write(func(tx *outbox.Tx) {
			for seq := range uint64(3) {
				tx.Redeliver(seq+1, time.Now().Add(time.Duration(seq)*time.Second))
			}
		})
		r.enqueue("d1", "e1")
		r.advance(100 * time.Millisecond)
		first := r.crm().ids()[3:]
		r.advance(10 * time.Second)
		if diff := cmp.Diff([]string{"a1", "d1", "e1", "b1", "c1"}, r.crm().ids()[3:]); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		if len(first) != 3 {
			t.Errorf("%q were sent at once", first)
		}
	})
}
