package outbox

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// commitBuckets, in seconds, suit a disk that syncs in a fraction of a
// millisecond, and one in trouble.
var commitBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}

// register exposes what the store knows about itself. All but the duration of
// commits is read at each scrape.
func (s *Store) register(registerer prometheus.Registerer) {
	factory := promauto.With(registerer)
	gauge := func(name, help string, value func() float64) {
		factory.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	counter := func(name, help string, value func(Stats) uint64) {
		factory.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value(s.Stats())) })
	}

	gauge("sidehook_store_open", "Whether the state file is open and writable.", func() float64 {
		if open, _ := s.FileState(); open {
			return 1
		}
		return 0
	})
	gauge("sidehook_store_waiting", "Changes in memory that wait to be written to disk.", func() float64 { return float64(s.Stats().Waiting) })
	counter("sidehook_store_lost_total", "Changes that never reached the disk because the queue was full or the process stopped, and deliveries for which the state file had no room.", func(s Stats) uint64 { return s.Lost })
	counter("sidehook_store_dropped_total", "Changes that failed; each is a bug.", func(s Stats) uint64 { return s.Dropped })
	counter("sidehook_store_trimmed_total", "Records removed by retention.", func(s Stats) uint64 { return s.Trimmed })
	gauge("sidehook_store_bytes", "Size of the state file.", func() float64 { return float64(s.Stats().FileBytes) })
	gauge("sidehook_store_used_bytes", "Bytes of the state file that are in use.", func() float64 { return float64(s.Stats().UsedBytes) })
	gauge("sidehook_store_limit_bytes", "retention.size: the largest size of the state file.", func() float64 { return float64(s.options.Retention.Size) })
	s.writer.trimmer.refusals.total = factory.NewCounterVec(prometheus.CounterOpts{
		Name: "sidehook_deliveries_refused_total",
		Help: "Deliveries lost because those pending for the target, or for the participant at that target, filled their share of the state file.",
	}, []string{"target"})
	s.writer.trimmer.overflows.total = factory.NewCounterVec(prometheus.CounterOpts{
		Name: "sidehook_statistics_overflows_total",
		Help: "How often something was counted together with others in the statistics of surveys, since there was no room, by what: survey, page.",
	}, []string{"what"})
	for _, what := range []string{overflowSurvey, overflowPage} {
		s.writer.trimmer.overflows.total.WithLabelValues(what)
	}
	if registerer != nil {
		registerer.MustRegister(shareCollector{s})
	}
	if s.options.Log != nil {
		s.registerReplica(factory)
	}
	s.commitSeconds = factory.NewHistogram(prometheus.HistogramOpts{
		Name: "sidehook_store_commit_seconds", Help: "Duration of commits.", Buckets: commitBuckets,
	})
}

// registerReplica exposes what a store knows about itself as one of several.
func (s *Store) registerReplica(factory promauto.Factory) {
	r := s.writer.replication
	factory.NewGaugeFunc(prometheus.GaugeOpts{Name: "sidehook_leads", Help: "Whether this replica leads."}, func() float64 {
		if s.Leads() {
			return 1
		}
		return 0
	})
	factory.NewCounterFunc(prometheus.CounterOpts{
		Name: "sidehook_takeovers_total", Help: "How often this replica began to lead.",
	}, func() float64 { return float64(r.takeovers.Load()) })
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sidehook_replica_entries_behind", Help: "Entries of the log that this replica knows of and has not applied.",
	}, func() float64 {
		shown := s.Replica()
		return float64(shown.Last - shown.Applied)
	})
}
