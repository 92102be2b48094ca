package record

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// unfoldedEvery is how often the leader looks whether it folds what the replicas saw.
const unfoldedEvery = 5 * time.Second

// unfolded is what the leader does not fold of what the replicas saw: for how long nothing,
// though something waits, since a message of a newer release holds up all that come after
// it; and what cannot be read at all.
type unfolded struct {
	waited     atomic.Int64
	folded     atomic.Uint64 // observations
	unreadable prometheus.Counter
}

func newUnfolded(registerer prometheus.Registerer) *unfolded {
	factory := promauto.With(registerer)
	u := &unfolded{unreadable: factory.NewCounter(prometheus.CounterOpts{
		Name: "sidehook_seen_unreadable_total",
		Help: "Messages and observations of replicas that the leader could not read: their events are lost.",
	})}
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sidehook_unfolded_seconds",
		Help: "For how long the leader has made no events of what the replicas saw, though something waits.",
	}, func() float64 { return time.Duration(u.waited.Load()).Seconds() })
	return u
}

// watchUnfolded looks at what waits to be folded, until ctx ends.
func (f *folding) watchUnfolded(ctx context.Context) {
	defer f.unfolded.waited.Store(0)
	ticker := time.NewTicker(unfoldedEvery)
	defer ticker.Stop()
	before, since := f.unfolded.folded.Load(), time.Now()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		asking, cancel := context.WithTimeout(ctx, unfoldedEvery)
		last, err := f.replicas.Link.LastSeen(asking)
		cancel()
		folded := f.unfolded.folded.Load()
		if hasNone := err == nil && last <= f.floor.Load(); hasNone || folded != before {
			before, since = folded, time.Now()
		}
		f.unfolded.waited.Store(int64(time.Since(since)))
	}
}
