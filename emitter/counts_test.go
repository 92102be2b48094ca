package emitter

import (
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

func TestATargetThatIsRemovedLeavesNoMetrics(t *testing.T) {
	set := metrics.NewSet()
	m := newMeters(set, "crm")
	if len(set.ListMetricNames()) == 0 {
		t.Fatal("a target has no metrics from the start")
	}
	m.forget()
	if left := set.ListMetricNames(); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}

func TestWhatNeverHappenedIsAZero(t *testing.T) {
	set := metrics.NewSet()
	newCounts(set)
	const want = 4*5 + 2 + 1 // what exchanges say and what came of it, events, responses at risk
	if names := set.ListMetricNames(); len(names) != want {
		t.Errorf("%d metrics from the start, want %d: %q", len(names), want, names)
	}
}
