package admin

import (
	"regexp"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// runtimeHistograms are exposed besides what a GoCollector exposes by default.
var runtimeHistograms = collectors.GoRuntimeMetricsRule{
	Matcher: regexp.MustCompile(`^/(gc/pauses|sched/latencies):seconds$`),
}

// NewRegistry returns a registry with the metrics of the build, the Go runtime
// and the process. All others are registered by the packages that own them.
func NewRegistry(version string) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(runtimeHistograms)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	promauto.With(registry).NewGauge(prometheus.GaugeOpts{
		Name: "sidehook_build_info", Help: "Always 1; the label is the version.",
		ConstLabels: prometheus.Labels{"version": version},
	}).Set(1)
	return registry
}
