package deliver

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/config"
)

func TestARemovedTargetLeavesNoMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := newTargetMetrics(registry)
	m.of("crm")
	if seriesIn(t, registry) == 0 {
		t.Fatal("a target has no metrics from the start")
	}
	m.forget("crm")
	if left := seriesIn(t, registry); left > 0 {
		t.Errorf("%d series are left", left)
	}
}

func TestMetricsOfATargetThatReturnsStartAtZero(t *testing.T) {
	registry := prometheus.NewRegistry()
	d := New(Options{
		Store:     outbox.New(outbox.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}),
		NewSender: func(string, config.Target) (Sender, error) { return nil, nil },
		Metrics:   registry, Logger: slog.New(slog.DiscardHandler),
	})
	apply := func(names ...string) {
		t.Helper()
		targets := map[string]config.Target{}
		for _, name := range names {
			targets[name] = config.Target{}
		}
		if err := d.Apply(targets); err != nil {
			t.Fatal(err)
		}
	}
	apply("crm")
	perTarget := seriesIn(t, registry)
	apply("crm", "erp")
	if got := seriesIn(t, registry); got != 2*perTarget {
		t.Errorf("%d series of two targets, want %d", got, 2*perTarget)
	}
	d.queues["crm"].meters.dead.Inc()
	apply("erp")
	if got := seriesIn(t, registry); got != perTarget {
		t.Errorf("%d series after one of two targets was removed, want %d", got, perTarget)
	}
	apply("crm", "erp")
	if got := testutil.ToFloat64(d.queues["crm"].meters.dead); got != 0 {
		t.Errorf("%v dead deliveries of a target that returned, want 0", got)
	}
}

func TestGaugesShowTheStatusOfEachTarget(t *testing.T) {
	status := func() []TargetStatus {
		return []TargetStatus{
			{Name: "crm", State: Up, Pending: 1, Delivered: 2, Dead: 3, InFlight: 4, Oldest: time.Now().Add(time.Hour)},
			{Name: "erp", State: Down},
		}
	}
	want := `
# HELP sidehook_attempts_in_flight Attempts in flight.
# TYPE sidehook_attempts_in_flight gauge
sidehook_attempts_in_flight{target="crm"} 4
sidehook_attempts_in_flight{target="erp"} 0
# HELP sidehook_deliveries Deliveries kept, by state: pending, delivered, dead.
# TYPE sidehook_deliveries gauge
sidehook_deliveries{state="dead",target="crm"} 3
sidehook_deliveries{state="dead",target="erp"} 0
sidehook_deliveries{state="delivered",target="crm"} 2
sidehook_deliveries{state="delivered",target="erp"} 0
sidehook_deliveries{state="pending",target="crm"} 1
sidehook_deliveries{state="pending",target="erp"} 0
# HELP sidehook_oldest_pending_seconds Age of the oldest pending delivery; 0 if there is none.
# TYPE sidehook_oldest_pending_seconds gauge
sidehook_oldest_pending_seconds{target="crm"} 0
sidehook_oldest_pending_seconds{target="erp"} 0
# HELP sidehook_target_state 1 for the target's current state, 0 for the others: up, failing (its last attempt failed), down (its breaker is open), held (it asked for a pause), disabled.
# TYPE sidehook_target_state gauge
sidehook_target_state{state="disabled",target="crm"} 0
sidehook_target_state{state="disabled",target="erp"} 0
sidehook_target_state{state="down",target="crm"} 0
sidehook_target_state{state="down",target="erp"} 1
sidehook_target_state{state="failing",target="crm"} 0
sidehook_target_state{state="failing",target="erp"} 0
sidehook_target_state{state="held",target="crm"} 0
sidehook_target_state{state="held",target="erp"} 0
sidehook_target_state{state="up",target="crm"} 1
sidehook_target_state{state="up",target="erp"} 0
`
	if err := testutil.CollectAndCompare(statusCollector(status), strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func seriesIn(t *testing.T, registry *prometheus.Registry) int {
	t.Helper()
	count, err := testutil.GatherAndCount(registry)
	if err != nil {
		t.Fatal(err)
	}
	return count
}
