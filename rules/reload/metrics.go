package reload

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are those of a Reloader.
type metrics struct{ successful, successAt prometheus.Gauge }

func newMetrics(registerer prometheus.Registerer) metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return promauto.With(registerer).NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	return metrics{
		successful: gauge("sidehook_config_last_reload_successful", "Whether the last reload of the configuration succeeded."),
		successAt:  gauge("sidehook_config_last_reload_success_timestamp_seconds", "When a configuration was last loaded, as a Unix time."),
	}
}

// reloaded records the outcome of a reload.
func (m metrics) reloaded(success bool) {
	if !success {
		m.successful.Set(0)
		return
	}
	m.successful.Set(1)
	m.successAt.SetToCurrentTime()
}
