package emitter

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// patient makes the breaker of crm stay out of a test of something else.
func (r *rig) patient() {
	target := r.targets["crm"]
	target.Breaker.Failures = 1000
	r.targets["crm"] = target
}

func TestADeliveryIsDeadAfterTheLastAttemptOfTheSchedule(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.patient()
		r.crm().say(always(fail500))
		r.start()
		r.enqueue("a1")
		r.pass(100 * time.Hour)
		r.expect("a1@0s", "a1@5s", "a1@5m5s", "a1@35m5s", "a1@2h35m5s", "a1@7h35m5s", "a1@17h35m5s", "a1@31h35m5s", "a1@51h35m5s", "a1@75h35m5s")
		if status := r.statusOf("crm"); status.Dead != 1 || status.Pending != 0 {
			t.Errorf("%+v, want one dead", status)
		}
	})
}

func TestJitterKeepsARetryWithinItsShareOfTheWait(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.patient()
		target := r.targets["crm"]
		target.Retry = rules.Retry{Schedule: durations("100s"), Jitter: 0.2}
		r.targets["crm"] = target
		r.crm().say(always(fail500))
		r.start()
		var ids []string
		for i := range 50 {
			ids = append(ids, fmt.Sprintf("%c1", 'A'+i))
		}
		r.enqueue(ids...)
		r.pass(79 * time.Second)
		if n := len(r.crm().ids()); n != 50 {
			t.Errorf("%d attempts before any was due, want 50", n)
		}
		r.pass(42 * time.Second)
		times := map[string]bool{}
		for _, seen := range r.crm().seen()[50:] {
			_, at, _ := strings.Cut(seen, "@")
			times[at] = true
		}
		if n := len(r.crm().ids()); n != 100 || len(times) < 10 {
			t.Errorf("%d attempts at %d different times, want 100 and many", n, len(times))
		}
	})
}

func TestWhatATargetRejectsIsRetriedTwiceAndLetsTheNextOneGo(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(func(_ int, d *outbox.Delivery) Result {
			if d.ID == "a1" {
				return fail404
			}
			return ok200
		})
		r.start()
		r.enqueue("a1", "a2")
		r.pass(time.Hour)
		r.expect("a1@0s", "a1@5s", "a1@5m5s", "a2@5m5s")
	})
}

func TestRetryAfterHoldsTheWholeTarget(t *testing.T) {
	f := func(answer Result) {
		t.Helper()
		inBubble(t, func(r *rig) {
			r.crm().say(func(n int, _ *outbox.Delivery) Result {
				if n == 1 {
					return after(answer, time.Minute)
				}
				return ok200
			})
			r.start()
			r.enqueue("a1")
			synctest.Wait()
			r.enqueue("b1")
			r.pass(59 * time.Second)
			r.expect("a1@0s")
			r.pass(2 * time.Second)
			got := r.crm().seen()
			slices.Sort(got)
			if want := []string{"a1@0s", "a1@1m0s", "b1@1m0s"}; !slices.Equal(got, want) {
				t.Errorf("status %d: got %q, want %q", answer.Status, got, want)
			}
		})
	}
	f(fail429)
	f(Result{Outcome: Retry, Status: 503, Reason: "status 503"})
}

func TestAHoldSurvivesARestartToTheSecond(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(func(n int, _ *outbox.Delivery) Result {
			if n == 1 {
				return after(fail429, time.Hour)
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		r.pass(20 * time.Minute)
		r.restart()
		r.enqueue("b1")
		r.pass(40*time.Minute - time.Second)
		r.expect("a1@0s")
		r.pass(2 * time.Second)
		got := r.crm().seen()
		slices.Sort(got)
		if want := []string{"a1@0s", "a1@1h0m0s", "b1@1h0m0s"}; got[1] != want[1] || len(got) != 3 {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestRetryDeadlinesSurviveARestartToTheSecond(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(func(_ int, d *outbox.Delivery) Result {
			if d.ID == "b1" {
				return fail500
			}
			return ok200
		})
		r.crm().take(time.Hour)
		r.start()
		r.enqueue("a1") // is cut short, so that the oldest has not failed and nothing begins with a probe
		synctest.Wait()
		r.crm().take(0)
		r.enqueue("b1")
		r.pass(90 * time.Second) // failed at 0 s and 5 s: due at 5m5s
		before := len(r.crm().seen())
		r.restart()
		r.pass(time.Hour)
		want := []string{"a1@1m35s", "b1@5m5s", "b1@35m5s"}
		if got := r.crm().seen()[before:]; !slices.Equal(got, want) {
			t.Errorf("after the restart got %q, want %q", got, want)
		}
	})
}

func TestRetryAfterOnAnyOtherStatusHoldsThatDeliveryAlone(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(func(n int, _ *outbox.Delivery) Result {
			if n == 1 {
				return after(fail500, time.Hour)
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		synctest.Wait()
		r.enqueue("b1")
		r.pass(2 * time.Hour)
		r.expect("a1@0s", "b1@0s", "a1@1h0m0s")
	})
}

func TestAProbeComesNoEarlierThanRetryAfter(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Breaker.Failures = 1
		r.targets["crm"] = target
		r.crm().say(func(n int, _ *outbox.Delivery) Result {
			if n <= 2 {
				return after(fail500, time.Hour)
			}
			return ok200
		})
		r.start()
		r.enqueue("a1") // opens the breaker
		r.pass(30 * time.Minute)
		r.expect("a1@0s")
		r.pass(2 * time.Hour) // and the probe is put off as well
		r.expect("a1@0s", "a1@1h0m0s", "a1@2h0m0s")
	})
}

func TestARetryThatTheTargetPutOffIsNotHastened(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Breaker.Failures = 3
		r.targets["crm"] = target
		r.crm().say(func(n int, d *outbox.Delivery) Result {
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
		r.pass(time.Hour) // the probe at 30 s fails, the one at 90 s succeeds
		r.expect("a1@0s", "b1@0s", "c1@0s", "b1@30s", "c1@1m30s", "b1@1m30s", "a1@2m0s")
	})
}

func TestADeliveryThatTheTargetAbortsIsDeadAtOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(func(_ int, d *outbox.Delivery) Result {
			if d.ID == "a1" {
				return aborted
			}
			return ok200
		})
		r.start()
		r.enqueue("a1", "a2")
		r.pass(time.Hour)
		r.expect("a1@0s", "a2@0s")
		if status := r.statusOf("crm"); status.Dead != 1 || status.Delivered != 1 {
			t.Errorf("%+v, want one dead and one delivered", status)
		}
	})
}

func TestAProbeThatTheTargetAbortsIsDeadToo(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Breaker.Failures = 1
		r.targets["crm"] = target
		r.crm().say(func(n int, _ *outbox.Delivery) Result {
			return []Result{fail500, aborted, ok200}[min(n-1, 2)]
		})
		r.start()
		r.enqueue("a1", "a2")
		r.pass(time.Minute)
		r.expect("a1@0s", "a1@30s", "a2@30s")
		if status := r.statusOf("crm"); status.Dead != 1 || status.Delivered != 1 || status.State != TargetUp {
			t.Errorf("%+v, want one dead, one delivered, and it up", status)
		}
	})
}

func TestATargetMayTakeADeliveryAndWantNoMore(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(always(Result{Outcome: Delivered, Status: 200, Disable: true}))
		r.start()
		r.enqueue("a1", "a2")
		r.pass(time.Hour)
		r.expect("a1@0s")
		if status := r.statusOf("crm"); status.State != TargetDisabled || status.Delivered != 1 || status.Pending != 1 {
			t.Errorf("%+v, want disabled with one delivered and one pending", status)
		}
	})
}

func TestFailuresOfOursThatComeTogetherCountOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(func(n int, _ *outbox.Delivery) Result {
			if n <= 8 {
				return ours
			}
			return ok200
		})
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "e1", "f1", "g1", "h1")
		r.pass(minPause)
		if n := len(r.crm().ids()); n != 16 {
			t.Errorf("%d attempts within a pause, want all eight twice", n)
		}
	})
}

func TestATargetThatIsGoneKeepsItsQueueAlsoAfterARestart(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(always(fail410))
		r.start()
		r.enqueue("a1", "b1")
		synctest.Wait()
		r.restart()
		r.enqueue("c1")
		r.pass(24 * time.Hour)
		for _, id := range r.crm().ids() {
			if id == "c1" {
				t.Error("a disabled target was sent something")
			}
		}
		if status := r.statusOf("crm"); status.State != TargetDisabled || status.Pending != 3 {
			t.Errorf("%+v, want disabled with 3 pending", status)
		}
	})
}

func TestTheBreakerOpensAfterFiveFailuresAndProbesWithTheOldest(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(always(fail500))
		r.start()
		for _, id := range []string{"a1", "b1", "c1", "d1", "e1"} {
			r.enqueue(id)
			synctest.Wait()
		}
		r.enqueue("f1")
		if status := r.statusOf("crm"); status.State != TargetDown {
			t.Fatalf("%+v, want down", status)
		}
		r.pass(29 * time.Second)
		r.expect("a1@0s", "b1@0s", "c1@0s", "d1@0s", "e1@0s")
		r.pass(2 * time.Second) // 31 s: one probe, of the oldest, which isn't due
		if got := r.crm().ids(); len(got) != 6 || got[5] != "a1" {
			t.Fatalf("got %q, want one probe of a1", got)
		}
		r.pass(58 * time.Second) // the open time has doubled
		if got := r.crm().ids(); len(got) != 6 {
			t.Fatalf("got %q, want nothing while it is open", got)
		}
		r.crm().say(nil)
		r.pass(3 * time.Second)
		if status := r.statusOf("crm"); status.State != TargetUp || status.Delivered != 6 {
			t.Errorf("%+v, want up with all 6 delivered", status)
		}
	})
}

func TestAProbeThatTakesLongIsWaitedFor(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Breaker.Failures = 1
		r.targets["crm"] = target
		r.crm().say(func(n int, _ *outbox.Delivery) Result {
			if n == 1 {
				return fail500
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		synctest.Wait()
		r.enqueue("b1")
		r.crm().take(15 * time.Second)
		r.pass(time.Hour) // if the queue did not rest meanwhile, this clock would stand still
		r.expect("a1@0s", "a1@30s", "b1@45s")
	})
}

func TestAProbeCostsNoAttempt(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Breaker.Failures = 1
		target.Retry.Schedule = durations("1h")
		r.targets["crm"] = target
		r.crm().say(always(fail500))
		r.start()
		r.enqueue("a1")
		r.pass(45 * time.Minute) // several probes
		probes := len(r.crm().ids()) - 1
		if status := r.statusOf("crm"); probes < 3 || status.Dead != 0 || status.Pending != 1 {
			t.Errorf("%d probes, %+v; want some, and the delivery pending", probes, status)
		}
	})
}

func TestWhatIsOurFaultOrAThrottleDoesNotOpenTheBreaker(t *testing.T) {
	f := func(answer Result) {
		t.Helper()
		inBubble(t, func(r *rig) {
			r.crm().say(always(answer))
			r.start()
			for i := range 10 {
				r.enqueue(fmt.Sprintf("%c1", 'a'+i))
				r.pass(time.Minute)
			}
			if status := r.statusOf("crm"); status.State == TargetDown {
				t.Errorf("%s: %+v, want it not down", answer.Outcome, status)
			}
		})
	}
	f(fail404)
	f(fail429)
	f(ours)
}

func TestOurOwnFailureUsesNoAttempt(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Retry.Schedule = nil
		r.targets["crm"] = target
		r.crm().say(func(n int, _ *outbox.Delivery) Result {
			if n <= 3 {
				return ours
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		r.pass(time.Hour)
		if status := r.statusOf("crm"); status.Delivered != 1 {
			t.Errorf("%+v, want it delivered after the trouble", status)
		}
	})
}

func TestAFaultOfOursIsTriedOnceAMinuteWhateverWaits(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(always(Result{Outcome: Ours, Reason: "refused to connect to a metadata address"}))
		r.start()
		for i := range 20 {
			r.enqueue(fmt.Sprintf("%c1", 'a'+i))
		}
		r.pass(10 * time.Minute)
		if n := r.attemptsIn(time.Hour); n < 59 || n > 61 {
			t.Errorf("%d attempts in an hour, want one a minute", n)
		}
		if status := r.statusOf("crm"); status.Pending != 20 || status.LastError == "" {
			t.Errorf("%+v, want all pending and an error to see", status)
		}
		r.crm().say(nil)
		r.pass(time.Minute)
		if status := r.statusOf("crm"); status.Delivered != 20 {
			t.Errorf("%+v, want all delivered once it is over", status)
		}
	})
}

func TestAChangedTargetIsTriedAtOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Breaker = rules.Breaker{Failures: 1, Open: rules.Duration(time.Hour), MaxOpen: rules.Duration(time.Hour)}
		r.targets["crm"] = target
		r.crm().say(always(fail500))
		r.start()
		r.enqueue("a1")
		synctest.Wait()
		r.crm().say(nil)
		r.apply() // which changes nothing
		r.pass(time.Minute)
		r.expect("a1@0s")
		target.TLS.Verify = true
		r.targets["crm"] = target
		r.apply()
		r.pass(time.Minute)
		r.expect("a1@0s", "a1@1m0s")
	})
}

func TestTheLastFailureIsKeptWithItsExcerpt(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(always(Result{Outcome: Rejected, Status: 422, Reason: "status 422", Excerpt: []byte(`{"why":"no such list"}`), Duration: time.Second}))
		r.start()
		r.enqueue("a1")
		r.pass(time.Hour)
		d, err := r.store.Get("a1")
		if err != nil || d.State != outbox.Dead || d.Failure == nil {
			t.Fatalf("%+v, %v; want it dead with its failure", d, err)
		}
		if f := d.Failure; f.Status != 422 || f.Reason != "status 422" || string(f.Excerpt) != `{"why":"no such list"}` || !f.First.Equal(bubbleStart) {
			t.Errorf("%+v", f)
		}
	})
}

func TestAfterARestartATargetThatWasFailingStartsWithAProbe(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(always(fail500))
		r.start()
		r.enqueue("a1", "b1", "c1")
		synctest.Wait()
		before := len(r.crm().ids())
		r.restart()
		r.pass(time.Millisecond)
		if n := len(r.crm().ids()) - before; n > 1 {
			t.Errorf("%d attempts at once after the restart, want one probe at most", n)
		}
		r.crm().say(nil)
		r.pass(time.Hour)
		if status := r.statusOf("crm"); status.Delivered != 3 {
			t.Errorf("%+v, want 3 delivered", status)
		}
	})
}

func TestWhatWasDueIsSentAfterARestartWithTheSameBytes(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().take(time.Hour) // so that stopping cuts it short
		r.start()
		r.enqueue("a1", "a2")
		synctest.Wait()
		r.stop()
		r.crm().take(0)
		r.start()
		r.pass(time.Second)
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

func TestFreshDeliveriesGoBeforeRetries(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Concurrency = 1
		r.targets["crm"] = target
		r.crm().say(func(n int, _ *outbox.Delivery) Result {
			if n == 1 {
				return fail500
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		r.pass(time.Second)
		r.crm().take(10 * time.Second)
		r.enqueue("b1") // under way while a1 becomes due
		r.pass(time.Second)
		r.enqueue("c1")
		r.pass(time.Minute)
		if got, want := r.crm().ids(), []string{"a1", "b1", "c1", "a1"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestNoMoreAttemptsAreUnderWayThanAllowed(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Concurrency = 3
		r.targets["crm"] = target
		r.crm().take(time.Second)
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "e1", "f1", "g1")
		r.pass(time.Minute)
		if got := r.crm().mostOpen; got != 3 || len(r.crm().ids()) != 7 {
			t.Errorf("%d attempts at once of %d, want 3 of 7", got, len(r.crm().ids()))
		}
	})
}

func TestATargetGetsNoMoreThanItsRate(t *testing.T) {
	inBubble(t, func(r *rig) {
		target := r.targets["crm"]
		target.Rate = 2
		r.targets["crm"] = target
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "e1")
		r.pass(990 * time.Millisecond)
		if n := len(r.crm().ids()); n != 2 {
			t.Errorf("%d attempts in the first second, want 2", n)
		}
		r.pass(10 * time.Second)
		if n := len(r.crm().ids()); n != 5 {
			t.Errorf("%d attempts in the end, want 5", n)
		}
	})
}

func TestTargetsInTroubleHoldUpNoOther(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.fakes["hung"].take(time.Hour)
		r.fakes["broken"].say(always(fail500))
		r.fakes["slow"].take(10 * time.Second)
		r.fakes["throttling"].say(always(after(fail429, time.Hour)))
		r.fakes["gone"].say(always(fail410))
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
			want = append(want, fmt.Sprintf("%s@%s", id, time.Since(bubbleStart)))
			r.pass(time.Second)
		}
		r.expect(want...)
	}, "hung", "broken", "slow", "throttling", "gone")
}

func TestOneParticipantsStuckDeliveryHoldsUpNoOther(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(func(_ int, d *outbox.Delivery) Result {
			if d.ID == "a1" {
				return fail500
			}
			return ok200
		})
		r.start()
		r.enqueue("a1", "a2", "b1", "b2")
		r.pass(time.Second)
		got := r.crm().ids()
		slices.Sort(got)
		if want := []string{"a1", "b1", "b2"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestATargetThatIsRemovedKeepsItsQueueForItsReturn(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(always(fail500))
		r.start()
		r.enqueue("a1")
		synctest.Wait()
		crm := r.targets["crm"]
		delete(r.targets, "crm")
		r.apply()
		before := len(r.crm().ids())
		r.pass(time.Hour)
		if n := len(r.crm().ids()); n != before {
			t.Errorf("a removed target was sent %d attempts", n-before)
		}
		r.crm().say(nil)
		r.targets["crm"] = crm
		r.apply()
		r.pass(time.Hour)
		if status := r.statusOf("crm"); status.Delivered != 1 {
			t.Errorf("%+v, want it delivered after the return", status)
		}
	})
}

func TestStoppingCutsAttemptsShortAndUsesNone(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().take(time.Hour)
		r.start()
		r.enqueue("a1")
		synctest.Wait()
		began := time.Now()
		r.stop()
		if took := time.Since(began); took > stopGrace+ackGrace {
			t.Errorf("stopping took %s", took)
		}
		r.start()
		d, err := r.store.Get("a1")
		if err != nil || d.Attempts != 0 {
			t.Errorf("%d attempts are noted (%v), want 0", d.Attempts, err)
		}
	})
}

func TestASenderThatPanicsIsAFailureAndNotTheEnd(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.crm().say(func(n int, _ *outbox.Delivery) Result {
			if n == 1 {
				panic("canary")
			}
			return ok200
		})
		r.start()
		r.enqueue("a1")
		r.pass(time.Minute)
		r.expect("a1@0s", "a1@5s")
	})
}

var _ sender = (*fakeTarget)(nil)
