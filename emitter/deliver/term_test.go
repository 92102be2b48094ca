package deliver

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sidehook/sidehook/rules/config"
)

func TestADeliveryInFlightAtTheEndOfATermIsSentAgainInTheNext(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().setLatency(time.Minute)
		r.start()
		r.enqueue("a1", "a2")
		r.endTerm() // aborts it after a while
		r.crm().setLatency(0)
		r.advance(time.Minute)
		r.expect("a1@0s")
		r.beginTerm()
		r.expect("a1@0s", "a1@1m5s", "a2@1m5s")
	})
}

func TestATermBeginsWithAProbeOfATargetThatFailedInTheLast(t *testing.T) {
	withHarness(t, func(r *harness) {
		r.crm().respondWith(always(fail500))
		r.start()
		r.enqueue("a1")
		r.endTerm()
		if state := r.statusOf("crm").State; state != Up {
			t.Errorf("the target is %s between terms, want up: nobody knows better", state)
		}
		r.crm().setLatency(time.Second)
		r.enqueue("b1", "c1")
		r.advance(time.Hour)
		r.beginTerm()
		r.advance(time.Second / 2)
		if ids := r.crm().ids(); !slices.Equal(ids, []string{"a1", "b1"}) {
			t.Errorf("attempts of %q, want a probe after the first", ids)
		}
	})
}

func TestTargetsThatChangedBetweenTermsGetWhatWaited(t *testing.T) {
	withHarness(t, func(r *harness) {
		first, second := r.crm(), &fakeTarget{}
		r.start()
		r.endTerm()
		r.enqueue("a1")
		r.fakes["crm"] = second
		changed := r.targets["crm"]
		changed.Headers = map[string]config.HeaderValue{"X-New": {Secret: config.NewSecret("1")}}
		r.targets["crm"] = changed
		r.apply()
		r.beginTerm()
		synctest.Wait()
		if len(first.ids()) != 0 || len(second.ids()) != 1 {
			t.Errorf("%d attempts where the target was, %d where it is; want 0 and 1", len(first.ids()), len(second.ids()))
		}
	})
}

func TestNoAttemptBeginsWhereNoneMay(t *testing.T) {
	withHarness(t, func(r *harness) {
		var mayAct atomic.Bool
		r.mayAct = mayAct.Load
		r.start()
		r.enqueue("a1", "a2")
		r.advance(time.Minute)
		r.expect()
		if status := r.statusOf("crm"); status.State != Up || status.Pending != 2 {
			t.Errorf("%+v, want up with two pending", status)
		}
		mayAct.Store(true)
		r.advance(actPause)
		r.expect("a1@1m0.05s", "a2@1m0.05s")
	})
}

func TestTargetsAreMeasuredWhereAttemptsMayBegin(t *testing.T) {
	withHarness(t, func(r *harness) {
		var mayAct atomic.Bool
		metrics := prometheus.NewPedanticRegistry()
		r.mayAct, r.metrics = mayAct.Load, metrics
		r.start()
		r.enqueue("a1")
		count := func() int {
			n, err := testutil.GatherAndCount(metrics, "sidehook_deliveries", "sidehook_target_state")
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := count(); n != 0 {
			t.Errorf("%d gauges of targets where no attempt may begin, want none", n)
		}
		mayAct.Store(true)
		if n, want := count(), 3+len(States); n != want {
			t.Errorf("%d gauges of a target, want %d", n, want)
		}
	})
}
