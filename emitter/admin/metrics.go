package admin

import (
	"fmt"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/sidehook/sidehook/emitter/deliver"
)

func (a *Admin) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	var s sampler
	a.config.Metrics.WritePrometheus(&s)
	a.sampleStore(&s)
	for _, target := range a.config.Targets() {
		sampleTarget(&s, target, time.Now())
	}
	metrics.WriteProcessMetrics(&s)
	expose(w, s.Bytes())
}

// sampleStore adds what the store knows of itself.
func (a *Admin) sampleStore(s *sampler) {
	open, _ := a.config.Store.State()
	stats := a.config.Store.Stats()
	s.add("sidehook_store_open", "", asFloat(open))
	s.add("sidehook_store_waiting", "", float64(stats.Waiting))
	s.add("sidehook_store_lost_total", "", float64(stats.Lost))
	s.add("sidehook_store_dropped_total", "", float64(stats.Dropped))
	s.add("sidehook_store_trimmed_total", "", float64(stats.Trimmed))
	s.add("sidehook_store_bytes", "", float64(stats.FileBytes))
	s.add("sidehook_store_used_bytes", "", float64(stats.UsedBytes))
}

func sampleTarget(s *sampler, t deliver.TargetStatus, now time.Time) {
	label := fmt.Sprintf("target=%q", t.Name)
	s.add("sidehook_deliveries", label+`,state="pending"`, float64(t.Pending))
	s.add("sidehook_deliveries", label+`,state="delivered"`, float64(t.Delivered))
	s.add("sidehook_deliveries", label+`,state="dead"`, float64(t.Dead))
	var age time.Duration
	if !t.Oldest.IsZero() {
		age = max(0, now.Sub(t.Oldest)) // the clock may have stepped back
	}
	s.add("sidehook_oldest_pending_seconds", label, age.Seconds())
	s.add("sidehook_attempts_in_flight", label, float64(t.InFlight))
	for _, state := range deliver.States {
		s.add("sidehook_target_state", fmt.Sprintf("%s,state=%q", label, state), asFloat(t.State == state))
	}
}

func asFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
