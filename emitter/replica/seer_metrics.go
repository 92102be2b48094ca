package replica

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// seerCounts are what a Seer counts, guarded by its lock.
type seerCounts struct{ spilled, lost, damaged uint64 }

// register exposes what the Seer knows about itself, read at each scrape.
func (s *Seer) register(registerer prometheus.Registerer) {
	factory := promauto.With(registerer)
	gauge := func(name, help string, value func(SeerStatus) float64) {
		factory.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(s.Status()) })
	}
	counter := func(name, help string, value func(*seerCounts) uint64) {
		factory.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 {
			s.mu.Lock()
			defer s.mu.Unlock()
			return float64(value(&s.counts))
		})
	}
	counter("sidehook_spilled_total", "Observations that were written to this replica's disk, since the servers of the replicas took too long.",
		func(c *seerCounts) uint64 { return c.spilled })
	gauge("sidehook_spill_waiting", "Observations on this replica's disk that wait for the servers of the replicas; they are lost if this disk is.",
		func(status SeerStatus) float64 { return float64(status.Records) })
	gauge("sidehook_spill_bytes", "Size of the observations on this replica's disk that wait for the servers of the replicas.",
		func(status SeerStatus) float64 { return float64(status.Bytes) })
	counter("sidehook_spill_lost_total", "Observations that could neither be sent to the servers of the replicas nor be written to this replica's disk.",
		func(c *seerCounts) uint64 { return c.lost })
	counter("sidehook_spill_damaged_total", "Damaged places on this replica's disk, each of at least one observation that is lost.",
		func(c *seerCounts) uint64 { return c.damaged })
}
