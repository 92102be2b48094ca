package admin

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sidehook/sidehook/emitter/replica"
)

// metrics count what operators did.
type metrics struct{ redelivered, discarded prometheus.Counter }

func newMetrics(registerer prometheus.Registerer) metrics {
	counter := func(name, help string) prometheus.Counter {
		return promauto.With(registerer).NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	return metrics{
		redelivered: counter("sidehook_redelivered_total", "Deliveries that an operator sent again."),
		discarded:   counter("sidehook_discarded_total", "Deliveries that an operator discarded."),
	}
}

// registerReplicas exposes how many replicas there are. One that is cut off itself forgets
// nobody, and still counts only those that it hears, so that somebody notices.
func registerReplicas(registerer prometheus.Registerer, present func() []replica.Member) {
	promauto.With(registerer).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sidehook_replicas_present", Help: "Replicas that were heard in the last 30 seconds, this one included.",
	}, func() (heard float64) {
		for _, m := range present() {
			if m.Silent <= replica.Presence {
				heard++
			}
		}
		return heard
	})
}

// exposition serves the metrics in the text format of Prometheus. One that
// cannot be collected is left out.
func exposition(gatherer prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, DisableCompression: true})
}
