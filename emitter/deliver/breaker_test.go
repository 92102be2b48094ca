package deliver

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

// disableBreaker keeps the breaker of crm out of a test of something else.
func (r *harness) disableBreaker() {
	target := r.targets["crm"]
	target.Breaker.Failures = 1000
	r.targets["crm"] = target
}

func TestAProbeWaitsForRetryAfter(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Breaker.Failures = 1
		r.targets["crm"] = target
		r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
			switch {
			case n == 1:
				return refused
			case n <= 3:
				return after(fail500, time.Hour)
			}
			return ok200
		})
		r.start()
		r.enqueue("a1") // opens the breaker
		r.advance(45 * time.Minute)
		r.expect("a1@0s", "a1@30s")
		r.advance(2 * time.Hour) // and the next probe is put off as well
		r.expect("a1@0s", "a1@30s", "a1@1h0m30s", "a1@2h0m30s")
	})
}

func TestAnAbortedProbeIsDead(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Breaker.Failures = 1
		r.targets["crm"] = target
		r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
			return []send.Result{refused, aborted, ok200}[min(n-1, 2)]
		})
		r.start()
		r.enqueue("a1", "a2")
		r.advance(time.Minute)
		r.expect("a1@0s", "a1@30s", "a2@30s")
		if status := r.statusOf("crm"); status.Dead != 1 || status.Delivered != 1 || status.State != Up {
			t.Errorf("%+v, want one dead, one delivered, and it up", status)
		}
	})
}

func TestSimultaneousOwnFailuresCountOnce(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
			if n <= 8 {
				return ours
			}
			return ok200
		})
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "e1", "f1", "g1", "h1")
		r.advance(minPause)
		if n := len(r.crm().ids()); n != 16 {
			t.Errorf("%d attempts within a pause, want all eight twice", n)
		}
	})
}

func TestTheBreakerOpensAfterFiveFailuresAndProbesWithADeliveryThatNeverFailed(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(refused))
		r.start()
		for _, id := range []string{"a1", "b1", "c1", "d1", "e1"} {
			r.enqueue(id)
			synctest.Wait()
		}
		r.enqueue("f1")
		if status := r.statusOf("crm"); status.State != Down {
			t.Fatalf("%+v, want down", status)
		}
		r.advance(29 * time.Second)
		r.expect("a1@0s", "b1@0s", "c1@0s", "d1@0s", "e1@0s")
		r.advance(2 * time.Second) // 31 s: one probe, though all others are due
		if got := r.crm().ids(); len(got) != 6 || got[5] != "f1" {
			t.Fatalf("got %q, want one probe of f1", got)
		}
		r.advance(58 * time.Second) // the open time has doubled
		if got := r.crm().ids(); len(got) != 6 {
			t.Fatalf("got %q, want nothing while it is open", got)
		}
		r.crm().respondWith(nil)
		r.advance(3 * time.Second)
		if status := r.statusOf("crm"); status.State != Up || status.Delivered != 6 {
			t.Errorf("%+v, want up with all 6 delivered", status)
		}
	})
}

func TestOnlyOneProbeIsInFlight(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Breaker.Failures = 1
		r.targets["crm"] = target
		r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
			if n == 1 {
				return refused
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		synctest.Wait()
		r.enqueue("b1")
		r.crm().setLatency(15 * time.Second)
		r.advance(time.Hour) // if the queue did not rest meanwhile, this clock would stand still
		r.expect("a1@0s", "b1@30s", "a1@45s")
	})
}

func TestAProbeWithoutAConnectionCostsNoAttempt(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Breaker.Failures = 1
		target.Retry.Schedule = durations("1h")
		r.targets["crm"] = target
		r.crm().respondWith(always(refused))
		r.start()
		r.enqueue("a1")
		r.advance(45 * time.Minute) // several probes
		probes := len(r.crm().ids()) - 1
		if status := r.statusOf("crm"); probes < 3 || status.Dead != 0 || status.Pending != 1 {
			t.Errorf("%d probes, %+v; want some, and the delivery pending", probes, status)
		}
	})
}

func TestRefusedContentOwnFailuresAndThrottlingDoNotOpenTheBreaker(t *testing.T) {
	f := func(answer send.Result) {
		t.Helper()
		withHarness(t, func(r *harness) {
			r.crm().respondWith(always(answer))
			r.start()
			for i := range 10 {
				r.enqueue(fmt.Sprintf("%c1", 'a'+i))
				r.advance(time.Minute)
			}
			if status := r.statusOf("crm"); status.State == Down {
				t.Errorf("%s: %+v, want it not down", answer.Outcome, status)
			}
		})
	}
	f(fail422)
	f(aborted)
	f(fail429)
	f(ours)
}

func TestOurOwnFailureUsesNoAttempt(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Retry.Schedule = nil
		r.targets["crm"] = target
		r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
			if n <= 3 {
				return ours
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		r.advance(time.Hour)
		if status := r.statusOf("crm"); status.Delivered != 1 {
			t.Errorf("%+v, want it delivered afterwards", status)
		}
	})
}

func TestOwnFailuresAreRetriedOnceAMinute(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(send.Result{Outcome: send.Ours, Reason: "refused to connect to a metadata address"}))
		r.start()
		for i := range 20 {
			r.enqueue(fmt.Sprintf("%c1", 'a'+i))
		}
		r.advance(10 * time.Minute)
		if n := r.attemptsIn(time.Hour); n < 59 || n > 61 {
			t.Errorf("%d attempts in an hour, want one a minute", n)
		}
		if status := r.statusOf("crm"); status.Pending != 20 || status.LastError == "" {
			t.Errorf("%+v, want all pending and an error to see", status)
		}
		r.crm().respondWith(nil)
		r.advance(time.Minute)
		if status := r.statusOf("crm"); status.Delivered != 20 {
			t.Errorf("%+v, want all delivered once it is over", status)
		}
	})
}

func TestAChangedTargetIsTriedAtOnce(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Breaker = config.Breaker{Failures: 1, Open: config.Duration(time.Hour), MaxOpen: config.Duration(time.Hour)}
		r.targets["crm"] = target
		r.crm().respondWith(always(refused))
		r.start()
		r.enqueue("a1")
		synctest.Wait()
		r.crm().respondWith(nil)
		r.apply() // which changes nothing
		r.advance(time.Minute)
		r.expect("a1@0s")
		target.TLS.Verify = true
		r.targets["crm"] = target
		r.apply()
		r.advance(time.Minute)
		r.expect("a1@0s", "a1@1m0s")
	})
}

func TestAFailingTargetStartsWithAProbeAfterARestart(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(fail500))
		r.start()
		r.enqueue("a1", "b1", "c1")
		synctest.Wait()
		before := len(r.crm().ids())
		r.restart()
		r.advance(time.Millisecond)
		if n := len(r.crm().ids()) - before; n > 1 {
			t.Errorf("%d attempts at once after the restart, want one probe at most", n)
		}
		r.crm().respondWith(nil)
		r.advance(time.Hour)
		if status := r.statusOf("crm"); status.Delivered != 3 {
			t.Errorf("%+v, want 3 delivered", status)
		}
	})
}
