package deliver

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/sidehook/sidehook/emitter/send"
)

// The buckets of the histograms, in seconds: an attempt ends with its timeout,
// a delivery may take as long as its retries.
var (
	attemptBuckets  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60}
	deliveryBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30, 300, 3600, 6 * 3600, 24 * 3600, 4 * 24 * 3600}
)

// targetMetrics are the metrics of all targets. Names of targets are
// configured, so there are few.
type targetMetrics struct {
	deliveries, attempts            *prometheus.CounterVec
	attemptSeconds, deliverySeconds *prometheus.HistogramVec
}

func newTargetMetrics(registerer prometheus.Registerer) *targetMetrics {
	factory := promauto.With(registerer)
	return &targetMetrics{
		deliveries: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "sidehook_deliveries_total", Help: "Deliveries that reached their final state: delivered, dead.",
		}, []string{"target", "outcome"}),
		attempts: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "sidehook_attempts_total", Help: "Attempts by outcome: delivered, retry, throttled, rejected, aborted, gone, ours.",
		}, []string{"target", "outcome"}),
		attemptSeconds: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sidehook_attempt_seconds", Help: "Duration of attempts.", Buckets: attemptBuckets,
		}, []string{"target"}),
		deliverySeconds: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sidehook_delivery_seconds", Help: "Time from the app's response to the target's 2xx response.", Buckets: deliveryBuckets,
		}, []string{"target"}),
	}
}

// of returns the meters of a target. All exist from the start, so that what
// never happened is a zero.
func (t *targetMetrics) of(target string) *meters {
	m := &meters{
		outcomes:  map[send.Outcome]prometheus.Counter{},
		delivered: t.deliveries.WithLabelValues(target, "delivered"),
		dead:      t.deliveries.WithLabelValues(target, "dead"),
		attempt:   t.attemptSeconds.WithLabelValues(target),
		delivery:  t.deliverySeconds.WithLabelValues(target),
	}
	for _, outcome := range send.Outcomes {
		m.outcomes[outcome] = t.attempts.WithLabelValues(target, outcome.String())
	}
	return m
}

// forget removes the metrics of a target that no longer exists.
func (t *targetMetrics) forget(target string) {
	labels := prometheus.Labels{"target": target}
	t.deliveries.DeletePartialMatch(labels)
	t.attempts.DeletePartialMatch(labels)
	t.attemptSeconds.Delete(labels)
	t.deliverySeconds.Delete(labels)
}

// meters are the metrics of one target.
type meters struct {
	outcomes          map[send.Outcome]prometheus.Counter
	delivered, dead   prometheus.Counter
	attempt, delivery prometheus.Observer
}

// attempted counts an attempt; a delivery's own time is from the event to its 2xx.
func (m *meters) attempted(a attempted, now time.Time) {
	if counter := m.outcomes[a.result.Outcome]; counter != nil {
		counter.Inc()
	}
	m.attempt.Observe(a.result.Duration.Seconds())
	if a.result.Outcome == send.Delivered {
		m.delivery.Observe(now.Sub(a.delivery.Created).Seconds())
	}
}

// decided counts a delivery that has ended.
func (m *meters) decided(v verdict) {
	switch v {
	case delivered:
		m.delivered.Inc()
	case dead:
		m.dead.Inc()
	case retried, free:
	}
}

// The gauges of a target, read from its status at each scrape.
var (
	keptDesc = prometheus.NewDesc("sidehook_deliveries",
		"Deliveries kept, by state: pending, delivered, dead.", []string{"target", "state"}, nil)
	oldestDesc = prometheus.NewDesc("sidehook_oldest_pending_seconds",
		"Age of the oldest pending delivery; 0 if there is none.", []string{"target"}, nil)
	inFlightDesc = prometheus.NewDesc("sidehook_attempts_in_flight",
		"Attempts in flight.", []string{"target"}, nil)
	stateDesc = prometheus.NewDesc("sidehook_target_state",
		"1 for the target's current state, 0 for the others: up, failing (its last attempt failed), down (its breaker is open), held (it asked for a pause), disabled.", []string{"target", "state"}, nil)
)

// statusCollector collects the gauges of all targets.
type statusCollector func() []TargetStatus

// Describe implements prometheus.Collector.
func (statusCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{keptDesc, oldestDesc, inFlightDesc, stateDesc} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c statusCollector) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for _, t := range c() {
		gauge(keptDesc, float64(t.Pending), t.Name, "pending")
		gauge(keptDesc, float64(t.Delivered), t.Name, "delivered")
		gauge(keptDesc, float64(t.Dead), t.Name, "dead")
		gauge(oldestDesc, t.oldestAge(time.Now()).Seconds(), t.Name)
		gauge(inFlightDesc, float64(t.InFlight), t.Name)
		for _, state := range States {
			var is float64
			if t.State == state {
				is = 1
			}
			gauge(stateDesc, is, t.Name, state.String())
		}
	}
}

// oldestAge is the age of the oldest pending delivery, 0 if there is none or
// the clock has stepped back.
func (t *TargetStatus) oldestAge(now time.Time) time.Duration {
	if t.Oldest.IsZero() {
		return 0
	}
	return max(0, now.Sub(t.Oldest))
}
