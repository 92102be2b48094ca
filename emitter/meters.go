package emitter

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// meters are the metrics of a target's attempts. Names of targets are
// configured, so there are few.
type meters struct {
	outcomes map[Outcome]*metrics.Counter
	attempt  *metrics.Histogram
	delivery *metrics.Histogram
}

func newMeters(set *metrics.Set, target string) *meters {
	m := &meters{
		outcomes: map[Outcome]*metrics.Counter{},
		attempt:  set.GetOrCreateHistogram(fmt.Sprintf(`sidehook_attempt_seconds{target=%q}`, target)),
		delivery: set.GetOrCreateHistogram(fmt.Sprintf(`sidehook_delivery_seconds{target=%q}`, target)),
	}
	for outcome := Delivered; outcome <= Ours; outcome++ {
		m.outcomes[outcome] = set.GetOrCreateCounter(fmt.Sprintf(`sidehook_attempts_total{target=%q,outcome=%q}`, target, outcome.String()))
	}
	return m
}

// attempted counts an attempt; a delivery's own time is from the event to its 2xx.
func (m *meters) attempted(a attempted, now time.Time) {
	if counter := m.outcomes[a.result.Outcome]; counter != nil {
		counter.Inc()
	}
	m.attempt.Update(a.result.Duration.Seconds())
	if a.result.Outcome == Delivered {
		m.delivery.Update(now.Sub(a.delivery.Created).Seconds())
	}
}
