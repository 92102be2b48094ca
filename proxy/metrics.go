package proxy

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// register exposes Stats, read at each scrape: a request costs no more than it.
func (p *Proxy) register(registerer prometheus.Registerer) {
	factory := promauto.With(registerer)
	counter := func(name, help, cause string, value func(Stats) uint64) {
		o := prometheus.CounterOpts{Name: name, Help: help}
		if cause != "" {
			o.ConstLabels = prometheus.Labels{"cause": cause}
		}
		factory.NewCounterFunc(o, func() float64 { return float64(value(p.Stats())) })
	}
	gauge := func(name, help string, value func(Stats) int) {
		factory.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value(p.Stats())) })
	}

	counter("sidehook_requests_total", "Requests from participants.", "", func(s Stats) uint64 { return s.Requests })
	const failed, failedHelp = "sidehook_requests_failed_total", "Requests that did not get the app's complete response: malformed, overloaded, app_unreachable, app_broken, app_timeout, client_gone."
	counter(failed, failedHelp, "malformed", func(s Stats) uint64 { return s.Refused })
	counter(failed, failedHelp, "overloaded", func(s Stats) uint64 { return s.Overloaded })
	counter(failed, failedHelp, "app_unreachable", func(s Stats) uint64 { return s.AppDial })
	counter(failed, failedHelp, "app_broken", func(s Stats) uint64 { return s.AppBroken })
	counter(failed, failedHelp, "app_timeout", func(s Stats) uint64 { return s.AppTimeout })
	counter(failed, failedHelp, "client_gone", func(s Stats) uint64 { return s.ClientGone })
	counter("sidehook_requests_resent_total", "GET and HEAD requests sent to the app again because a reused connection had died.", "", func(s Stats) uint64 { return s.Resent })
	gauge("sidehook_connections", "Open connections from participants.", func(s Stats) int { return s.Connections })
	gauge("sidehook_tunnels", "Open connections from participants that are tunnels (WebSocket).", func(s Stats) int { return s.Tunnels })
	counter("sidehook_panics_total", "Panics recovered in the proxy; each is a bug.", "", func(s Stats) uint64 { return s.Panics })
	const uninspected, uninspectedHelp = "sidehook_uninspected_total", "Exchanges matched by a route whose bodies could not be inspected: too_large, truncated, undecodable."
	counter(uninspected, uninspectedHelp, "too_large", func(s Stats) uint64 { return s.TooLarge })
	counter(uninspected, uninspectedHelp, "truncated", func(s Stats) uint64 { return s.Truncated })
	counter(uninspected, uninspectedHelp, "undecodable", func(s Stats) uint64 { return s.Undecodable })
	gauge("sidehook_watched_bodies_bytes", "Memory in which bodies are copied to be inspected; limits.watched_bodies bounds it.", func(s Stats) int { return s.WatchedBodies })
	counter("sidehook_watched_bodies_refused_total", "Exchanges matched by a route whose bodies were not inspected because of limits.watched_bodies.", "", func(s Stats) uint64 { return s.OverBudget })
}
