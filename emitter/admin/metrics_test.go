package admin

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// broken is a collector whose metric cannot be collected.
type broken struct{ *prometheus.Desc }

// Describe implements prometheus.Collector.
func (b broken) Describe(descs chan<- *prometheus.Desc) { descs <- b.Desc }

// Collect implements prometheus.Collector.
func (b broken) Collect(metrics chan<- prometheus.Metric) {
	metrics <- prometheus.NewInvalidMetric(b.Desc, errors.New("canary"))
}

func TestMetricThatFailsDoesNotEndTheScrape(t *testing.T) {
	registry := prometheus.NewRegistry()
	newMetrics(registry).discarded.Add(2)
	registry.MustRegister(broken{prometheus.NewDesc("broken", "Fails.", nil, nil)})
	response := httptest.NewRecorder()
	exposition(registry).ServeHTTP(response, httptest.NewRequest("GET", "/metrics", nil))
	if body := response.Body.String(); response.Code != 200 || !strings.Contains(body, "\nsidehook_discarded_total 2\n") {
		t.Errorf("status %d, want 200 with the other metrics:\n%s", response.Code, body)
	}
}
