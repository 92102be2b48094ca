package proxy

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
)

// Register makes the proxy's numbers part of set, once.
func (p *Proxy) Register(set *metrics.Set) {
	register := func(name string, value func(Stats) float64) {
		set.NewGauge(name, func() float64 { return value(p.Stats()) })
	}
	register("sidehook_requests_total", func(s Stats) float64 { return float64(s.Requests) })
	for cause, value := range map[string]func(Stats) uint64{
		"malformed":       func(s Stats) uint64 { return s.Refused },
		"overloaded":      func(s Stats) uint64 { return s.Overloaded },
		"app_unreachable": func(s Stats) uint64 { return s.AppDial },
		"app_broken":      func(s Stats) uint64 { return s.AppBroken },
		"app_timeout":     func(s Stats) uint64 { return s.AppTimeout },
		"client_gone":     func(s Stats) uint64 { return s.ClientGone },
	} {
		register(fmt.Sprintf("sidehook_requests_failed_total{cause=%q}", cause), func(s Stats) float64 { return float64(value(s)) })
	}
	register("sidehook_requests_resent_total", func(s Stats) float64 { return float64(s.Resent) })
	register("sidehook_connections", func(s Stats) float64 { return float64(s.Connections) })
	register("sidehook_tunnels", func(s Stats) float64 { return float64(s.Tunnels) })
	register("sidehook_panics_total", func(s Stats) float64 { return float64(s.Panics) })
	register(`sidehook_uninspected_total{cause="too_large"}`, func(s Stats) float64 { return float64(s.TooLarge) })
	register(`sidehook_uninspected_total{cause="truncated"}`, func(s Stats) float64 { return float64(s.Truncated) })
	register(`sidehook_uninspected_total{cause="undecodable"}`, func(s Stats) float64 { return float64(s.Undecodable) })
}
