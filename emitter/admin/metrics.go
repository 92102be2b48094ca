package admin

import (
	"fmt"
	"net/http"

	"github.com/VictoriaMetrics/metrics"

	"github.com/sidehook/sidehook/emitter"
	"github.com/sidehook/sidehook/emitter/outbox"
)

// registerGauges adds what the store knows of itself.
func (a *Admin) registerGauges() {
	gauge := func(name string, value func(outbox.Stats) float64) {
		a.config.Metrics.NewGauge(name, func() float64 { return value(a.config.Store.Stats()) })
	}
	a.config.Metrics.NewGauge("sidehook_store_open", func() float64 {
		open, _ := a.config.Store.State()
		return asFloat(open)
	})
	gauge("sidehook_store_waiting", func(s outbox.Stats) float64 { return float64(s.Waiting) })
	gauge("sidehook_store_bytes", func(s outbox.Stats) float64 { return float64(s.FileBytes) })
	gauge("sidehook_store_lost_total", func(s outbox.Stats) float64 { return float64(s.Lost) })
	gauge("sidehook_store_commits_total", func(s outbox.Stats) float64 { return float64(s.Commits) })
	gauge("sidehook_store_commit_seconds_total", func(s outbox.Stats) float64 { return s.CommitTime.Seconds() })
}

func (a *Admin) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	metrics.WriteProcessMetrics(w)
	a.config.Metrics.WritePrometheus(w)
	for _, target := range a.config.Targets() {
		fmt.Fprintf(w, "sidehook_deliveries{target=%q,state=\"pending\"} %d\n", target.Name, target.Pending)
		fmt.Fprintf(w, "sidehook_deliveries{target=%q,state=\"dead\"} %d\n", target.Name, target.Dead)
		fmt.Fprintf(w, "sidehook_target_up{target=%q} %v\n", target.Name, asFloat(target.State == emitter.TargetUp))
	}
}

func asFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
