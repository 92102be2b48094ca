package admin

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
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

// exposition serves the metrics in the text format of Prometheus. One that
// cannot be collected is left out.
func exposition(gatherer prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, DisableCompression: true})
}
