package deliver

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/emitter/send"
)

func TestDueDeliveriesAreSentAfterARestartWithTheSameBytes(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().setLatency(time.Hour) // so that stopping cuts it short
		r.start()
		r.enqueue("a1", "a2")
		synctest.Wait()
		r.stop()
		r.crm().setLatency(0)
		r.start()
		r.advance(time.Second)
		if got, want := r.crm().ids(), []string{"a1", "a1", "a2"}; !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		for _, attempt := range r.crm().attempts {
			if attempt.body != "body of "+attempt.id {
				t.Errorf("%s came with the body %q", attempt.id, attempt.body)
			}
		}
	})
}

func TestNewDeliveriesGoBeforeRetries(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Concurrency = 1
		r.targets["crm"] = target
		r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
			if n == 1 {
				return fail500
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		r.advance(time.Second)
		r.crm().setLatency(10 * time.Second)
		r.enqueue("b1") // in flight while a1 becomes due
		r.advance(time.Second)
		r.enqueue("c1")
		r.advance(time.Minute)
		if got, want := r.crm().ids(), []string{"a1", "b1", "c1", "a1"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestConcurrencyBoundsAttemptsInFlight(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Concurrency = 3
		r.targets["crm"] = target
		r.crm().setLatency(time.Second)
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "e1", "f1", "g1")
		r.advance(time.Minute)
		if got := r.crm().mostOpen; got != 3 || len(r.crm().ids()) != 7 {
			t.Errorf("%d attempts at once of %d, want 3 of 7", got, len(r.crm().ids()))
		}
	})
}

func TestRateBoundsAttempts(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Rate = 2
		r.targets["crm"] = target
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "e1")
		r.advance(990 * time.Millisecond)
		if n := len(r.crm().ids()); n != 2 {
			t.Errorf("%d attempts in the first second, want 2", n)
		}
		r.advance(10 * time.Second)
		if n := len(r.crm().ids()); n != 5 {
			t.Errorf("%d attempts in the end, want 5", n)
		}
	})
}

func TestAFailingTargetDelaysNoOther(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.fakes["hung"].setLatency(time.Hour)
		r.fakes["broken"].respondWith(always(fail500))
		r.fakes["slow"].setLatency(10 * time.Second)
		r.fakes["throttling"].respondWith(always(after(fail429, time.Hour)))
		r.fakes["gone"].respondWith(always(fail410))
		r.start()
		var want []string
		for i := range 26 {
			id := fmt.Sprintf("%c1", 'a'+i)
			for _, name := range []string{"hung", "broken", "slow", "throttling", "gone"} {
				for n := range 20 {
					r.enqueueFor(name, fmt.Sprintf("%s-%s-%d", id, name, n))
				}
			}
			r.enqueue(id)
			want = append(want, fmt.Sprintf("%s@%s", id, time.Since(syntheticStart)))
			r.advance(time.Second)
		}
		r.expect(want...)
	}, "hung", "broken", "slow", "throttling", "gone")
}

func TestAStuckDeliveryDelaysNoOtherParticipant(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(func(_ int, d *outbox.Delivery) send.Result {
			if d.ID == "a1" {
				return fail500
			}
			return ok200
		})
		r.start()
		r.enqueue("a1", "a2", "b1", "b2")
		r.advance(time.Second)
		got := r.crm().ids()
		slices.Sort(got)
		if want := []string{"a1", "b1", "b2"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestARemovedTargetKeepsItsQueue(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(fail500))
		r.start()
		r.enqueue("a1")
		synctest.Wait()
		crm := r.targets["crm"]
		delete(r.targets, "crm")
		r.apply()
		before := len(r.crm().ids())
		r.advance(time.Hour)
		if n := len(r.crm().ids()); n != before {
			t.Errorf("a removed target was sent %d attempts", n-before)
		}
		r.crm().respondWith(nil)
		r.targets["crm"] = crm
		r.apply()
		r.advance(time.Hour)
		if status := r.statusOf("crm"); status.Delivered != 1 {
			t.Errorf("%+v, want it delivered after the return", status)
		}
	})
}

func TestStoppingAbortsAttemptsWithoutUsingThemUp(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().setLatency(time.Hour)
		r.start()
		r.enqueue("a1")
		synctest.Wait()
		began := time.Now()
		r.stop()
		if took := time.Since(began); took > stopGrace+ackGrace {
			t.Errorf("stopping took %s", took)
		}
		r.start()
		d, err := loadByID(r.store, "a1")
		if err != nil || d.Attempts != 0 {
			t.Errorf("%d attempts are noted (%v), want 0", d.Attempts, err)
		}
	})
}

func TestAPanickingSenderIsAFailedAttempt(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
			if n == 1 {
				panic("canary")
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		r.advance(time.Minute)
		r.expect("a1@0s", "a1@5s")
	})
}

var _ Sender = (*fakeTarget)(nil)
