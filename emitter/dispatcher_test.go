package emitter

import (
	"testing"
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
