package deliver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

func TestADeliveryIsDeadAfterTheLastAttemptOfTheSchedule(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.disableBreaker()
		r.crm().respondWith(always(fail500))
		r.start()
		r.enqueue("a1")
		r.advance(100 * time.Hour)
		r.expect("a1@0s", "a1@5s", "a1@5m5s", "a1@35m5s", "a1@2h35m5s", "a1@7h35m5s", "a1@17h35m5s", "a1@31h35m5s", "a1@51h35m5s", "a1@75h35m5s")
		if status := r.statusOf("crm"); status.Dead != 1 || status.Pending != 0 {
			t.Errorf("%+v, want one dead", status)
		}
	})
}

func TestJitterKeepsARetryWithinItsShareOfTheWait(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.disableBreaker()
		target := r.targets["crm"]
		target.Retry = config.Retry{Schedule: durations("100s"), Jitter: 0.2}
		r.targets["crm"] = target
		r.crm().respondWith(always(fail500))
		r.start()
		var ids []string
		for i := range 50 {
			ids = append(ids, fmt.Sprintf("%c1", 'A'+i))
		}
		r.enqueue(ids...)
		r.advance(79 * time.Second)
		if n := len(r.crm().ids()); n != 50 {
			t.Errorf("%d attempts before any was due, want 50", n)
		}
		r.advance(42 * time.Second)
		times := map[string]bool{}
		for _, seen := range r.crm().attemptsSoFar()[50:] {
			_, at, _ := strings.Cut(seen, "@")
			times[at] = true
		}
		if n := len(r.crm().ids()); n != 100 || len(times) < 10 {
			t.Errorf("%d attempts at %d different times, want 100 and many", n, len(times))
		}
	})
}

func TestARejectedDeliveryIsRetriedTwiceAndThenLetsTheNextOneGo(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(func(_ int, d *outbox.Delivery) send.Result {
			if d.ID == "a1" {
				return fail422
			}
			return ok200
		})
		r.start()
		r.enqueue("a1", "a2")
		r.advance(time.Hour)
		r.expect("a1@0s", "a1@5s", "a1@5m5s", "a2@5m5s")
	})
}

func TestRetryAfterHoldsTheWholeTarget(t *testing.T) {
	f := func(answer send.Result) {
		t.Helper()
		withHarness(t, func(r *harness) {
			r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
				if n == 1 {
					return after(answer, time.Minute)
				}
				return ok200
			})
			r.start()
			r.enqueue("a1")
			synctest.Wait()
			r.enqueue("b1")
			r.advance(59 * time.Second)
			r.expect("a1@0s")
			r.advance(2 * time.Second)
			got := r.crm().attemptsSoFar()
			slices.Sort(got)
			if want := []string{"a1@0s", "a1@1m0s", "b1@1m0s"}; !slices.Equal(got, want) {
				t.Errorf("status %d: got %q, want %q", answer.Status, got, want)
			}
		})
	}
	f(fail429)
	f(send.Result{Outcome: send.Retry, Status: 503, Reason: "status 503"})
}

func TestAHoldSurvivesARestartToTheSecond(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
			if n == 1 {
				return after(fail429, time.Hour)
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		r.advance(20 * time.Minute)
		r.restart()
		r.enqueue("b1")
		r.advance(40*time.Minute - time.Second)
		r.expect("a1@0s")
		r.advance(2 * time.Second)
		got := r.crm().attemptsSoFar()
		slices.Sort(got)
		if want := []string{"a1@0s", "a1@1h0m0s", "b1@1h0m0s"}; got[1] != want[1] || len(got) != 3 {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestRetryDeadlinesSurviveARestartToTheSecond(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(func(_ int, d *outbox.Delivery) send.Result {
			if d.ID == "b1" {
				return fail500
			}
			return ok200
		})
		r.crm().setLatency(time.Hour)
		r.start()
		r.enqueue("a1") // is cut short, so that the oldest has not failed and nothing begins with a probe
		synctest.Wait()
		r.crm().setLatency(0)
		r.enqueue("b1")
		r.advance(90 * time.Second) // failed at 0 s and 5 s: due at 5m5s
		before := len(r.crm().attemptsSoFar())
		r.restart()
		r.advance(time.Hour)
		want := []string{"a1@1m35s", "b1@5m5s", "b1@35m5s"}
		if got := r.crm().attemptsSoFar()[before:]; !slices.Equal(got, want) {
			t.Errorf("after the restart got %q, want %q", got, want)
		}
	})
}

func TestRetryAfterOnOtherStatusesHoldsThatDeliveryAlone(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
			if n == 1 {
				return after(fail500, time.Hour)
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		synctest.Wait()
		r.enqueue("b1")
		r.advance(2 * time.Hour)
		r.expect("a1@0s", "b1@0s", "a1@1h0m0s")
	})
}

func TestARetryPutOffByTheTargetIsNotHastened(t *testing.T) {
	withHarness(t, func(r *harness) {
		target := r.targets["crm"]
		target.Breaker.Failures = 3
		r.targets["crm"] = target
		r.crm().respondWith(func(n int, d *outbox.Delivery) send.Result {
			switch {
			case d.ID == "a1" && n == 1:
				return after(fail500, 2*time.Minute)
			case n <= 4:
				return fail500
			}
			return ok200
		})
		r.start()
		for _, id := range []string{"a1", "b1", "c1"} {
			r.enqueue(id)
			synctest.Wait()
		}
		r.advance(time.Hour) // the probe at 30 s fails, the one at 90 s succeeds
		r.expect("a1@0s", "b1@0s", "c1@0s", "b1@30s", "c1@1m30s", "b1@1m30s", "a1@2m0s")
	})
}

func TestAnAbortedDeliveryIsDeadAtOnce(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(func(_ int, d *outbox.Delivery) send.Result {
			if d.ID == "a1" {
				return aborted
			}
			return ok200
		})
		r.start()
		r.enqueue("a1", "a2")
		r.advance(time.Hour)
		r.expect("a1@0s", "a2@0s")
		if status := r.statusOf("crm"); status.Dead != 1 || status.Delivered != 1 {
			t.Errorf("%+v, want one dead and one delivered", status)
		}
	})
}

func TestTheLastFailureIsKeptWithItsExcerpt(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(send.Result{Outcome: send.Rejected, Status: 422, Reason: "status 422", Excerpt: []byte(`{"why":"no such list"}`), Duration: time.Second}))
		r.start()
		r.enqueue("a1")
		r.advance(time.Hour)
		d, err := loadByID(r.store, "a1")
		if err != nil || d.State != outbox.Dead || d.Failure == nil {
			t.Fatalf("%+v, %v; want it dead with its failure", d, err)
		}
		if f := d.Failure; f.Status != 422 || f.Reason != "status 422" || string(f.Excerpt) != `{"why":"no such list"}` || !f.First.Equal(syntheticStart) {
			t.Errorf("%+v", f)
		}
	})
}
