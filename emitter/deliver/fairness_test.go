package deliver

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
)

// takeMostOpen returns how many attempts were in flight at most, and counts anew.
func (f *fakeTarget) takeMostOpen() (most int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	most, f.mostOpen = f.mostOpen, 0
	return most
}

// enqueueOf queues the n-th delivery of each of so many participants.
func (r *harness) enqueueOf(kind string, participants, n int) {
	r.t.Helper()
	r.write(func(tx *outbox.Tx) {
		for i := range participants {
			who := fmt.Sprintf("%s-%d", kind, i)
			tx.Enqueue(outbox.Delivery{ID: fmt.Sprintf("%s-%d", who, n), Target: "crm", Lane: who, Owner: who, Created: time.Now()})
		}
	})
}

// failOn responds with r to the deliveries of a kind and accepts all others.
func failOn(kind string, r send.Result) func(int, *outbox.Delivery) send.Result {
	return func(_ int, d *outbox.Delivery) send.Result {
		if strings.HasPrefix(d.ID, kind) {
			return r
		}
		return ok200
	}
}

// untilDelivered returns how long it takes until all deliveries of a kind are delivered.
func (r *harness) untilDelivered(kind string, count int, limit time.Duration) time.Duration {
	r.t.Helper()
	begun := time.Now()
	for delivered := map[string]bool{}; len(delivered) < count; r.advance(time.Second) {
		if time.Since(begun) > limit {
			r.t.Fatalf("%d of %d are delivered after %s", len(delivered), count, limit)
		}
		for _, id := range r.crm().ids() {
			if strings.HasPrefix(id, kind) {
				delivered[id] = true
			}
		}
	}
	return time.Since(begun)
}

func TestPoisonedParticipantsDelayOthersByTheirAttemptsAlone(t *testing.T) {
	const poisoned, honest, latency = 500, 100, 10 * time.Millisecond
	bound := poisoned*2*latency + 2*time.Second // a second attempt may be due meanwhile
	f := func(name string, answer send.Result) {
		t.Run(name, func(t *testing.T) {
			withHarness(t, func(r *harness) {
				r.crm().setLatency(latency)
				r.crm().respondWith(failOn("poison", answer))
				r.start()
				r.enqueueOf("poison", poisoned, 1)
				r.enqueueOf("honest", honest, 1)
				r.untilDelivered("honest", honest, bound)
				for n := range 5 { // and while the poison waits for its retries, or for the probes of others
					r.advance(20 * time.Minute)
					r.enqueueOf("poison", poisoned, n+2)
					r.enqueueOf("fresh", honest, n)
					r.untilDelivered("fresh", honest*(n+1), bound)
				}
				if status := r.statusOf("crm"); status.State == Disabled || status.Pending+status.Dead != 6*poisoned {
					t.Errorf("%+v, want all but the poison delivered", status)
				}
			})
		})
	}
	f("500", fail500)
	f("401", send.Result{Outcome: send.Retry, Status: 401, Reason: "status 401"})
	f("422", fail422)
	f("a handler that crashes", send.Result{Outcome: send.Retry, Reason: "connection closed"})
	f("put off for a day", after(fail500, 24*time.Hour))
}

func TestTenThousandPoisonedParticipantsDelayOthersByTheirAttemptsAlone(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("it takes many seconds")
	}
	const poisoned, honest, latency = 10_000, 100, time.Millisecond
	withHarness(t, func(r *harness) {
		r.crm().setLatency(latency)
		r.crm().respondWith(failOn("poison", fail500))
		r.start()
		r.enqueueOf("poison", poisoned, 1)
		r.enqueueOf("honest", honest, 1)
		took := r.untilDelivered("honest", honest, time.Hour)
		if bound := poisoned * 2 * (latency + time.Millisecond); took > bound {
			t.Errorf("it took %s, want no more than %s", took, bound)
		}
	})
}

// Whatever the poison has been through, an outage of the receiver delays nobody by
// more than the time between two probes.
func TestPoisonDoesNotDelayTheEndOfAnOutage(t *testing.T) {
	withHarness(t, func(r *harness) {
		const poisoned, honest = 300, 20
		r.crm().respondWith(failOn("poison", fail500))
		r.start()
		r.enqueueOf("poison", poisoned, 1)
		r.advance(time.Hour)
		r.crm().respondWith(always(refused))
		r.enqueueOf("honest", honest, 1)
		r.advance(6 * time.Hour)
		r.expectState(Down)
		r.crm().respondWith(failOn("poison", fail500))
		r.advance(time.Duration(r.targets["crm"].Breaker.MaxOpen) + time.Second)
		if status := r.statusOf("crm"); status.Delivered != honest {
			t.Errorf("%+v, want all %d delivered", status, honest)
		}
	})
}

func TestPoisonIsUsedUp(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(failOn("poison", fail500))
		r.start()
		r.enqueueOf("poison", 150, 1)
		for range 4 * 24 {
			r.advance(time.Hour)
			r.enqueueOf("honest", 1, len(r.crm().ids()))
		}
		if status := r.statusOf("crm"); status.Dead != 150 || status.Pending != 0 {
			t.Errorf("%+v, want all the poison dead", status)
		}
		if n, most := len(r.crm().ids()), 150*10+4*24; n > most {
			t.Errorf("%d attempts, want no more than %d", n, most)
		}
	})
}

func TestAnAnsweredProbeCostsAnAttemptLikeAnyOther(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(fail500))
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "e1")
		r.expectState(Down)
		r.advance(4 * 24 * time.Hour)
		if status := r.statusOf("crm"); status.Dead != 5 {
			t.Errorf("%+v, want all dead", status)
		}
		for _, id := range []string{"a1", "b1", "c1", "d1", "e1"} {
			d, err := loadByID(r.store, id)
			if err != nil || d.Attempts != 10 || d.Finished.Sub(syntheticStart) < 75*time.Hour {
				t.Errorf("%s had %d attempts until %s (%v), want 10 on the whole schedule", id, d.Attempts, d.Finished, err)
			}
		}
	})
}

func TestOneParticipantAloneCannotOpenTheBreaker(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Breaker.Failures = 1
		target.Retry.Schedule = durations("1s")
		r.targets["crm"] = target
		r.crm().respondWith(always(fail500))
		r.start()
		for i := range 20 {
			r.enqueue(fmt.Sprintf("a%d", i))
			r.advance(5 * time.Second)
			r.expectState(Failing)
		}
		r.enqueue("b1")
		r.expectState(Down)
	})
}

func TestADeliveryThatFailedBeforeDoesNotOpenTheBreaker(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(fail500))
		r.start()
		for i := range 4 {
			r.enqueue(fmt.Sprintf("%c1", 'a'+i))
		}
		r.advance(time.Hour)
		r.expectState(Failing)
		r.enqueue("e1")
		r.expectState(Down)
	})
}

func TestATargetThatFailsDeliveriesIsTriedWithNewOnesOneAtATime(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(fail500))
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "e1")
		r.expectState(Down)
		r.crm().setLatency(time.Second)
		r.crm().takeMostOpen()
		r.enqueue("f1", "g1", "h1")
		r.advance(10 * time.Second)
		if n, most := len(r.crm().ids()), r.crm().takeMostOpen(); n != 8 || most != 1 {
			t.Errorf("%d attempts, %d at once; want the three new ones, one at a time", n-5, most)
		}
		r.advance(22 * time.Second) // the first probe with one that is due
		if n := len(r.crm().ids()); n != 9 {
			t.Errorf("%d attempts after half a minute, want one retry", n-8)
		}
	})
}

func TestWaitingRetriesAreDueWhenAProbeSucceeds(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Rate = 2
		r.targets["crm"] = target
		r.crm().respondWith(always(fail500))
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "e1")
		r.advance(10 * time.Minute)
		r.crm().respondWith(nil)
		before := len(r.crm().ids())
		r.enqueue("f1")
		synctest.Wait()
		if n := len(r.crm().ids()) - before; n > 1 {
			t.Errorf("%d attempts at once, want them at the target's rate", n)
		}
		r.advance(3 * time.Second)
		if status := r.statusOf("crm"); status.Delivered != 6 {
			t.Errorf("%+v, want all delivered", status)
		}
	})
}
