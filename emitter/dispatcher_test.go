package emitter

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

func TestADeliveryGoesOutAtOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.start()
		r.enqueue("a1")
		r.expect("a1@0s")
		if status := r.statusOf("crm"); status.Pending != 0 || status.Delivered != 1 {
			t.Errorf("%+v, want nothing pending and one delivered", status)
		}
	})
}

func TestAParticipantsDeliveriesKeepTheirOrderThroughRetries(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(func(n int, _ *outbox.Delivery) Result {
			if n <= 2 {
				return fail500
			}
			return ok200
		})
		r.start()
		r.enqueue("a1", "a2", "a3")
		r.pass(time.Hour)
		r.expect("a1@0s", "a1@5s", "a1@5m5s", "a2@5m5s", "a3@5m5s")
	})
}

func TestATargetThatIsTheSameIsLeftAloneByAReload(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.start()
		first, second := r.crm(), &fakeTarget{}
		r.fakes["crm"] = second
		r.apply()
		r.enqueue("a1")
		synctest.Wait()
		if len(first.ids()) != 1 || len(second.ids()) != 0 {
			t.Error("the sender was replaced though nothing changed")
		}
		changed := r.targets["crm"]
		changed.Headers = map[string]string{"X-New": "1"}
		r.targets["crm"] = changed
		r.apply()
		r.enqueue("a2")
		synctest.Wait()
		if len(second.ids()) != 1 {
			t.Error("the sender was not replaced though a header changed")
		}
	})
}
