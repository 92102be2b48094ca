package deliver

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
