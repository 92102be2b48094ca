package record

import (
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

func TestWhatNeverHappenedIsAZero(t *testing.T) {
	set := metrics.NewSet()
	newCounts(set)
	const want = 4*5 + 2 + 1 // what exchanges say and what came of it, events, responses at risk
	if names := set.ListMetricNames(); len(names) != want {
		t.Errorf("%d metrics from the start, want %d: %q", len(names), want, names)
	}
}
