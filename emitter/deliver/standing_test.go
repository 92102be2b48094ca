package deliver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

const day = 24 * time.Hour

// attemptsIn lets time pass and counts the attempts in it.
func (r *harness) attemptsIn(d time.Duration) int {
	before := len(r.crm().ids())
	r.advance(d)
	return len(r.crm().ids()) - before
}

// startFailing starts with a target that did nothing but fail for five days.
func (r *harness) startFailing() {
	r.t.Helper()
	r.start()
	r.write(func(tx *outbox.Tx) { tx.SetFailingSince("crm", time.Now().Add(-failingLimit)) })
	r.restart()
}

func (r *harness) expectState(want State) {
	r.t.Helper()
	if status := r.statusOf("crm"); status.State != want {
		r.t.Errorf("%+v, want it %s", status, want)
	}
}

func TestATargetThatFailsForFiveDaysIsDisabledAndTriedDaily(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(refused))
		r.start()
		r.enqueue("a1", "b1", "c1", "d1", "e1", "f1")
		r.advance(5*day - time.Minute)
		r.expectState(Down)
		r.advance(16 * time.Minute) // a probe is never further away
		status := r.statusOf("crm")
		if status.State != Disabled || status.Cause != outbox.CauseFailing || status.Pending != 6 || status.Dead != 0 {
			t.Fatalf("%+v, want disabled since it only failed, with all pending", status)
		}
		if next := time.Until(status.Until); next > day || next < day-20*time.Minute {
			t.Errorf("the next trial is in %s, want a day", next)
		}
		for i := range 3 {
			if n := r.attemptsIn(day); n != 1 {
				t.Errorf("%d attempts on day %d, want one", n, i+1)
			}
		}
		r.crm().respondWith(nil)
		r.advance(day)
		if status := r.statusOf("crm"); status.State != Up || status.Delivered != 6 || !status.FailingSince.IsZero() {
			t.Errorf("%+v, want it up with all delivered", status)
		}
	})
}

func TestARejectedTrialLeavesTheTargetDisabled(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(refused))
		r.startFailing()
		r.enqueue("a1")
		r.expectState(Disabled)
		r.advance(time.Minute) // so that no day ends at the moment of a trial
		for _, answer := range []send.Result{fail429, fail500, refused} {
			r.crm().respondWith(always(answer))
			if n := r.attemptsIn(day); n != 1 {
				t.Errorf("%s: %d attempts in a day, want one", answer.Reason, n)
			}
			r.expectState(Disabled)
		}
	})
}

func TestATrialThatFailsByOurFaultIsRepeated(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(func(n int, _ *outbox.Delivery) send.Result {
			return []send.Result{refused, ours, ok200}[min(n-1, 2)]
		})
		r.startFailing()
		r.enqueue("a1")
		r.expectState(Disabled)
		r.advance(day + time.Minute)
		if status := r.statusOf("crm"); status.Delivered != 1 {
			t.Errorf("%+v, want it delivered on the day of its trial", status)
		}
	})
}

func TestFiveDaysOf404DisableTheTargetToo(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(fail404))
		r.start()
		for i := range 6 {
			if status := r.statusOf("crm"); status.State == Disabled {
				t.Errorf("%+v after %d days, want it not disabled", status, i)
			}
			r.enqueue(string(rune('a'+i)) + "1")
			r.advance(day)
		}
		if status := r.statusOf("crm"); status.State != Disabled || status.Dead != 2 || status.Pending != 4 {
			t.Errorf("%+v, want it disabled with those kept that have attempts left", status)
		}
	})
}

func TestASuccessRestartsTheFiveDays(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.disableBreaker()
		target := r.targets["crm"]
		target.Retry.Schedule = nil
		r.targets["crm"] = target
		r.crm().respondWith(func(_ int, d *outbox.Delivery) send.Result {
			if d.ID == "d1" {
				return ok200
			}
			return fail500
		})
		r.start()
		for _, id := range []string{"a1", "b1", "c1", "d1", "e1", "f1", "g1", "h1"} {
			r.enqueue(id)
			r.advance(day)
			if id == "d1" {
				r.expectState(Up)
			} else {
				r.expectState(Failing)
			}
			r.restart()
		}
		r.enqueue("i1")
		r.advance(day)
		r.enqueue("j1") // five days after e1
		r.expectState(Disabled)
	})
}

func TestRefusedContentOwnFailuresAnd429AreNoFailuresOfTheTarget(t *testing.T) {
	f := func(answer send.Result) {
		t.Helper()
		withHarness(t, func(r *harness) {
			r.crm().respondWith(always(answer))
			r.start()
			r.enqueue("a1", "b1", "c1", "d1", "e1", "f1")
			r.advance(time.Hour)
			if status := r.statusOf("crm"); !status.FailingSince.IsZero() || status.State == Down {
				t.Errorf("%s: %+v, want it not failing", answer.Reason, status)
			}
			r.restart()
			r.write(func(tx *outbox.Tx) { tx.SetFailingSince("crm", time.Now().Add(-failingLimit)) })
			r.restart()
			r.enqueue("g1")
			r.advance(time.Hour)
			if status := r.statusOf("crm"); status.State == Disabled {
				t.Errorf("%s: %+v, want it not disabled for that", answer.Reason, status)
			}
		})
	}
	f(ours)
	f(fail429)
	f(aborted)
	f(fail422)
}

func TestADisabledTargetIsTriedWhenTheProcessStarts(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(refused))
		r.startFailing()
		r.enqueue("a1", "b1")
		r.expectState(Disabled)
		r.restart()
		if n := r.attemptsIn(day - time.Hour); n != 1 {
			t.Errorf("%d attempts after a restart, want one", n)
		}
		r.expectState(Disabled)
		r.crm().respondWith(nil)
		r.restart()
		r.advance(time.Minute)
		if status := r.statusOf("crm"); status.State != Up || status.Delivered != 2 {
			t.Errorf("%+v, want it up with both delivered", status)
		}
	})
}

func TestATargetDisabledByHandStaysDisabledUntilItIsEnabled(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.start()
		r.write(func(tx *outbox.Tx) { tx.Disable("crm", outbox.CauseOperator, "", time.Now()) })
		synctest.Wait()
		r.enqueue("a1")
		r.advance(25 * time.Hour)
		r.restart()
		r.move("https://other.example.org/")
		r.advance(25 * time.Hour)
		r.expect()
		if status := r.statusOf("crm"); status.Cause != outbox.CauseOperator || status.Pending != 1 {
			t.Errorf("%+v, want disabled by hand with one pending", status)
		}
		r.write(func(tx *outbox.Tx) { tx.Enable("crm") })
		r.expect("a1@50h0m0s")
	})
}

func TestANewURLEnablesADisabledTarget(t *testing.T) {
	f := func(answer send.Result) {
		t.Helper()
		withHarness(t, func(r *harness) {
			r.crm().respondWith(always(answer))
			r.startFailing()
			r.enqueue("a1")
			r.expectState(Disabled)
			r.crm().respondWith(nil)
			r.move("https://other.example.org/")
			r.advance(time.Minute)
			if status := r.statusOf("crm"); status.State != Up || status.Delivered != 1 {
				t.Errorf("%s: %+v, want it up with one delivered", answer.Reason, status)
			}
		})
	}
	f(refused)
	f(fail410)
}

func TestATargetMayAcceptADeliveryAndAskForNoMore(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(send.Result{Outcome: send.Delivered, Status: 200, Disable: true}))
		r.start()
		r.enqueue("a1", "a2")
		r.advance(time.Hour)
		r.expect("a1@0s")
		if status := r.statusOf("crm"); status.State != Disabled || status.Delivered != 1 || status.Pending != 1 {
			t.Errorf("%+v, want disabled with one delivered and one pending", status)
		}
	})
}

func TestATargetThatIsGoneKeepsItsQueueAcrossARestart(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(fail410))
		r.start()
		r.enqueue("a1", "b1")
		synctest.Wait()
		r.restart()
		r.enqueue("c1")
		r.advance(24 * time.Hour)
		for _, id := range r.crm().ids() {
			if id == "c1" {
				t.Error("a disabled target was sent something")
			}
		}
		if status := r.statusOf("crm"); status.State != Disabled || status.Pending != 3 {
			t.Errorf("%+v, want disabled with 3 pending", status)
		}
	})
}

// move gives crm another URL.
func (r *harness) move(address string) {
	r.t.Helper()
	target := r.targets["crm"]
	var err error
	if target.URL, err = config.ParseURL(address); err != nil {
		r.t.Fatal(err)
	}
	r.targets["crm"] = target
	r.apply()
}
