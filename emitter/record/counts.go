package record

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// What became of an exchange that a route of the profile matches.
const (
	// recorded: what it says was handed to the store.
	recorded result = "recorded"
	// ignored: the app refused, or it says nothing.
	ignored result = "ignored"
	// unreadable: it should say something and could not be read.
	unreadable result = "unreadable"
	// lost: the store could not take it.
	lost result = "lost"
	// forgotten: its participant was forgotten while it was under way.
	forgotten result = "forgotten"
)

type result string

// commitBuckets are for a disk that syncs in a fraction of a millisecond, and for one in trouble.
var commitBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}

// counts are the metrics of a Recorder. All are there from the start, so that
// what never happened is a zero.
type counts struct {
	exchanges map[rules.Says]map[result]*metrics.Counter
	events    map[config.EventName]*metrics.Counter
	atRisk    *metrics.Counter
}

func newCounts(set *metrics.Set) *counts {
	c := &counts{
		exchanges: map[rules.Says]map[result]*metrics.Counter{},
		events:    map[config.EventName]*metrics.Counter{},
		atRisk:    set.GetOrCreateCounter("sidehook_released_at_risk_total"),
	}
	for _, says := range []rules.Says{rules.PageShown, rules.PageLoaded, rules.AnsweredItem, rules.Navigated} {
		c.exchanges[says] = map[result]*metrics.Counter{}
		for _, r := range []result{recorded, ignored, unreadable, lost, forgotten} {
			c.exchanges[says][r] = set.GetOrCreateCounter(fmt.Sprintf(`sidehook_exchanges_total{says=%q,result=%q}`, says, r))
		}
	}
	for _, event := range []config.EventName{config.PageNavigation, config.Completion} {
		c.events[event] = set.GetOrCreateCounter(fmt.Sprintf(`sidehook_events_total{event=%q}`, event))
	}
	return c
}

func (c *counts) exchange(says rules.Says, r result) {
	if counter := c.exchanges[says][r]; counter != nil {
		counter.Inc()
	}
}

func (c *counts) event(name config.EventName) {
	if counter := c.events[name]; counter != nil {
		counter.Inc()
	}
}

// CommitMeter is what a store is to tell of its commits.
func CommitMeter(set *metrics.Set) func(took time.Duration) {
	histogram := set.GetOrCreatePrometheusHistogramExt("sidehook_store_commit_seconds", commitBuckets)
	return func(took time.Duration) { histogram.Update(took.Seconds()) }
}
