package deliver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

func TestADeliveryGoesOutAtOnce(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.start()
		r.enqueue("a1")
		r.expect("a1@0s")
		if status := r.statusOf("crm"); status.Pending != 0 || status.Delivered != 1 {
			t.Errorf("%+v, want nothing pending and one delivered", status)
		}
	})
}

func TestAParticipantsDeliveriesKeepTheirOrderThroughRetries(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
			if n <= 2 {
				return fail500
			}
			return ok200
		})
		r.start()
		r.enqueue("a1", "a2", "a3")
		r.advance(time.Hour)
		r.expect("a1@0s", "a1@5s", "a1@5m5s", "a2@5m5s", "a3@5m5s")
	})
}

func TestAReloadLeavesUnchangedTargetsAlone(t *testing.T) {
	withHarness(t, func(r *harness) {
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
		changed.Headers = map[string]config.HeaderValue{"X-New": {Secret: config.NewSecret("1")}}
		r.targets["crm"] = changed
		r.apply()
		r.enqueue("a2")
		synctest.Wait()
		if len(second.ids()) != 1 {
			t.Error("the sender was not replaced though a header changed")
		}
	})
}

// The clock was a year ahead when retries and a pause were written down, and was
// set right while the process ran or while it did not.
func TestAClockSetBackDelaysNothing(t *testing.T) {
	const year = 365 * 24 * time.Hour
	f := func(name string, retry outbox.Retry, isHeld, restarts bool) {
		t.Run(name, func(t *testing.T) {
			withHarness(t, func(r *harness) {
				r.crm().respondWith(always(fail500))
				r.start()
				r.enqueue("a1", "a2", "b1")
				synctest.Wait()
				r.crm().respondWith(nil)
				retry.Due = time.Now().Add(year)
				r.write(func(tx *outbox.Tx) {
					for _, seq := range []uint64{1, 3} {
						tx.Retry(seq, outbox.Attempt{At: time.Now()}, retry)
					}
					if isHeld {
						tx.Hold("crm", retry.Due)
					}
				})
				if restarts {
					r.restart()
				}
				r.advance(25 * time.Hour)
				if status := r.statusOf("crm"); status.Pending != 0 {
					t.Errorf("%d deliveries wait, %q came", status.Pending, r.crm().ids())
				}
			})
		})
	}
	f("while it ran", outbox.Retry{}, false, false)
	f("while it ran, when the target had asked for a pause", outbox.Retry{FromRetryAfter: true}, true, false)
	f("while it did not", outbox.Retry{}, false, true)
	f("while it did not, when the target had asked for a pause", outbox.Retry{FromRetryAfter: true}, true, true)
}
