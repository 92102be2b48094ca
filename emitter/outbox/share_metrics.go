package outbox

import "github.com/prometheus/client_golang/prometheus"

var (
	shareBytes = prometheus.NewDesc("sidehook_store_share_bytes",
		"About how many bytes of the state file each class takes: pending, dead and delivered deliveries, journeys, pages.", []string{"class"}, nil)
	shareLimitBytes = prometheus.NewDesc("sidehook_store_share_limit_bytes",
		"How many bytes of the state file each class can take. Delivered deliveries make way for all others.", []string{"class"}, nil)
	pendingBytes = prometheus.NewDesc("sidehook_store_pending_bytes",
		"About how many bytes of the state file a target's pending deliveries take.", []string{"target"}, nil)
	pendingLimitBytes = prometheus.NewDesc("sidehook_store_pending_limit_bytes",
		"How many bytes of the state file a target's pending deliveries can take now.", []string{"target"}, nil)
)

// shareCollector exposes what takes how much of the state file. It has nothing to
// expose before the first commit, nor where another replica leads: its share is the same.
type shareCollector struct{ store *Store }

// Describe implements prometheus.Collector.
func (c shareCollector) Describe(descriptions chan<- *prometheus.Desc) {
	for _, description := range []*prometheus.Desc{shareBytes, shareLimitBytes, pendingBytes, pendingLimitBytes} {
		descriptions <- description
	}
}

// Collect implements prometheus.Collector.
func (c shareCollector) Collect(metrics chan<- prometheus.Metric) {
	t := &c.store.writer.trimmer
	l := t.ledger.Load()
	if l == nil || !c.store.Leads() {
		return
	}
	gauge := func(description *prometheus.Desc, value int64, label string) {
		metrics <- prometheus.MustNewConstMetric(description, prometheus.GaugeValue, float64(value), label)
	}
	for s := range shareCount {
		gauge(shareBytes, l.bytes[s], s.String())
		gauge(shareLimitBytes, t.size().of(s), s.String())
	}
	targets, err := c.store.Targets()
	if err != nil {
		return // the file is closed, which has a metric of its own
	}
	for name, target := range targets {
		pending := int64(target.PendingBytes)
		gauge(pendingBytes, pending, name)
		gauge(pendingLimitBytes, t.size().ofTarget(*l, pending), name)
	}
}
