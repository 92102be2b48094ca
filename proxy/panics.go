package proxy

import "fmt"

// caught recovers from a panic; it is deferred around what must not fail a request.
func (p *Proxy) caught(doing string) { p.recovered(recover(), doing) }

// recovered reports whether there was a panic, and counts and logs it. The value
// stays out of the log: it may hold what a participant sent.
func (p *Proxy) recovered(panicked any, doing string) bool {
	if panicked == nil {
		return false
	}
	p.counters.panics.Add(1)
	p.warnings.log(warnPanic, "during", doing, "type", fmt.Sprintf("%T", panicked))
	return true
}
