package deliver

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/emitter/outbox"
)

func TestWhatIsDiscardedWhileItWaitsInMemoryIsNotSent(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Concurrency = 1
		r.targets["crm"] = target
		r.crm().take(time.Second)
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "d2")
		r.pass(time.Millisecond)
		r.write(func(tx *outbox.Tx) { tx.Discard(1); tx.Discard(3); tx.Discard(4) })
		r.pass(time.Minute)
		got := r.crm().ids()
		if diff := cmp.Diff([]string{"a1", "b1", "d2"}, got); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

func TestRedeliveriesGoAtTheirPaceAndAfterWhatIsFresh(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Concurrency = 1
		r.targets["crm"] = target
		r.start()
		r.enqueue("a1", "b1", "c1")
		r.pass(time.Second)
		r.crm().take(10 * time.Millisecond)
		r.write(func(tx *outbox.Tx) {
			for seq := range uint64(3) {
				tx.Redeliver(seq+1, time.Now().Add(time.Duration(seq)*time.Second))
			}
		})
		r.enqueue("d1", "e1")
		r.pass(100 * time.Millisecond)
		first := r.crm().ids()[3:]
		r.pass(10 * time.Second)
		if diff := cmp.Diff([]string{"a1", "d1", "e1", "b1", "c1"}, r.crm().ids()[3:]); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		if len(first) != 3 {
			t.Errorf("%q were sent at once", first)
		}
	})
}
