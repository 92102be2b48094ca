package deliver

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/sidehook/sidehook/emitter/send"
)

// The buckets of the histograms, in seconds: an attempt ends with its timeout,
// a delivery may take as long as its retries.
var (
	attemptBuckets  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60}
	deliveryBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30, 300, 3600, 6 * 3600, 24 * 3600, 4 * 24 * 3600}
)

// meters are the metrics of a target. Names of targets are configured, so
// there are few, and all are there from the start.
type meters struct {
	set             *metrics.Set
	names           []string
	outcomes        map[send.Outcome]*metrics.Counter
	delivered, dead *metrics.Counter
	attempt         *metrics.PrometheusHistogram
	delivery        *metrics.PrometheusHistogram
}

func newMeters(set *metrics.Set, target string) *meters {
	m := &meters{set: set, outcomes: map[send.Outcome]*metrics.Counter{}}
	m.delivered = m.counter(`sidehook_deliveries_total{target=%q,outcome="delivered"}`, target)
	m.dead = m.counter(`sidehook_deliveries_total{target=%q,outcome="dead"}`, target)
	m.attempt = m.histogram(`sidehook_attempt_seconds{target=%q}`, target, attemptBuckets)
	m.delivery = m.histogram(`sidehook_delivery_seconds{target=%q}`, target, deliveryBuckets)
	for outcome := send.Delivered; outcome <= send.Ours; outcome++ {
		m.outcomes[outcome] = m.counter(`sidehook_attempts_total{target=%q,outcome=%q}`, target, outcome.String())
	}
	return m
}

func (m *meters) counter(format string, labels ...any) *metrics.Counter {
	name := fmt.Sprintf(format, labels...)
	m.names = append(m.names, name)
	return m.set.GetOrCreateCounter(name)
}

func (m *meters) histogram(format, target string, buckets []float64) *metrics.PrometheusHistogram {
	name := fmt.Sprintf(format, target)
	m.names = append(m.names, name)
	return m.set.GetOrCreatePrometheusHistogramExt(name, buckets)
}

// forget ends the metrics of a target that is no longer there.
func (m *meters) forget() {
	for _, name := range m.names {
		m.set.UnregisterMetric(name)
	}
}

// attempted counts an attempt; a delivery's own time is from the event to its 2xx.
func (m *meters) attempted(a attempted, now time.Time) {
	if counter := m.outcomes[a.result.Outcome]; counter != nil {
		counter.Inc()
	}
	m.attempt.Update(a.result.Duration.Seconds())
	if a.result.Outcome == send.Delivered {
		m.delivery.Update(now.Sub(a.delivery.Created).Seconds())
	}
}

// decided counts a delivery that has come to its end.
func (m *meters) decided(v verdict) {
	switch v {
	case delivered:
		m.delivered.Inc()
	case dead:
		m.dead.Inc()
	case retried, free:
	}
}
