package record

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// The results of an exchange that a route of the profile matches.
const (
	// recorded: its observation was handed to the store.
	recorded result = "recorded"
	// ignored: the app refused it, or it says nothing.
	ignored result = "ignored"
	// unreadable: the app accepted it, and it could not be read.
	unreadable result = "unreadable"
	// lost: the store had no room for its observation.
	lost result = "lost"
	// forgotten: its participant was forgotten while it was in flight.
	forgotten result = "forgotten"
)

type result string

// counts are the metrics of a Recorder. Every series exists from the start, with
// the value 0.
type counts struct {
	exchanges map[rules.Kind]map[result]prometheus.Counter
	events    map[config.EventName]prometheus.Counter
	refused   map[rules.Refusal]prometheus.Counter
	atRisk    prometheus.Counter
}

func newCounts(registerer prometheus.Registerer, w *waiting) *counts {
	factory := promauto.With(registerer)
	exchanges := factory.NewCounterVec(prometheus.CounterOpts{
		Name: "sidehook_exchanges_total",
		Help: "Exchanges matched by a route, by what the route says and by result: recorded, ignored (refused by the app), unreadable, lost, forgotten (the participant was forgotten meanwhile).",
	}, []string{"says", "result"})
	events := factory.NewCounterVec(prometheus.CounterOpts{
		Name: "sidehook_events_total",
		Help: "Events recorded, whether or not a rule matches them, but started and abandoned only where a rule names them; a completion is not counted as a page_navigation too.",
	}, []string{"event"})
	refused := factory.NewCounterVec(prometheus.CounterOpts{
		Name: "sidehook_journey_refused_total",
		Help: "What participants sent past a bound of their journey, by what: answer (too large), journey (too many pages or answers, or too large), navigation (too many), waiting (for their past), unsettled (events stopped waiting for answers in flight).",
	}, []string{"what"})
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sidehook_waiting_bytes",
		Help: "Size of the observations that wait for what their participants did before.",
	}, func() float64 { return float64(w.total.Load()) })
	c := &counts{
		exchanges: map[rules.Kind]map[result]prometheus.Counter{},
		events:    map[config.EventName]prometheus.Counter{},
		refused:   map[rules.Refusal]prometheus.Counter{},
		atRisk: factory.NewCounter(prometheus.CounterOpts{
			Name: "sidehook_released_at_risk_total",
			Help: "Responses released before their observation was on disk.",
		}),
	}
	for _, kind := range rules.Kinds() {
		c.exchanges[kind] = map[result]prometheus.Counter{}
		for _, r := range []result{recorded, ignored, unreadable, lost, forgotten} {
			c.exchanges[kind][r] = exchanges.WithLabelValues(string(kind), string(r))
		}
	}
	for _, event := range config.EventNames() {
		c.events[event] = events.WithLabelValues(string(event))
	}
	for _, what := range rules.Refusals() {
		c.refused[what] = refused.WithLabelValues(string(what))
	}
	return c
}

func (c *counts) exchange(kind rules.Kind, r result) {
	if counter := c.exchanges[kind][r]; counter != nil {
		counter.Inc()
	}
}

func (c *counts) event(name config.EventName) {
	if counter := c.events[name]; counter != nil {
		counter.Inc()
	}
}
