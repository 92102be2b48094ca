package proxy

import "sync/atomic"

// Stats is what the proxy has counted since it was made.
type Stats struct {
	// Requests that reached the proxy.
	Requests uint64
	// Refused requests: not HTTP/1.1 that can be passed on safely, refused with 400.
	Refused uint64
	// Overloaded connections: more than Config.Concurrency, refused with 503.
	Overloaded uint64
	// AppDial counts requests refused with 503 because the app could not be reached.
	AppDial uint64
	// AppBroken counts responses that the app broke off or garbled (502, or cut short).
	AppBroken uint64
	// AppTimeout counts requests refused with 504.
	AppTimeout uint64
	// ClientGone counts participants who left before their response had passed.
	ClientGone uint64
	// Resent counts GET and HEAD requests that were sent again (see the package comment).
	Resent uint64
	// Watched counts exchanges that the Watcher asked for.
	Watched uint64
	// TooLarge, Truncated and Undecodable count watched exchanges whose bodies
	// could not be copied.
	TooLarge, Truncated, Undecodable uint64
	// OverBudget counts watched exchanges whose bodies could not be copied because
	// all bodies together had reached Config.WatchedBodies.
	OverBudget uint64
	// WatchedBodies is how many bytes of bodies are copied now.
	WatchedBodies int
	// Panics that were caught.
	Panics uint64
	// Connections of participants that are open now, tunnels included.
	Connections int
	// Tunnels that are open now.
	Tunnels int
}

// counters are the live numbers behind Stats.
type counters struct {
	requests, refused, overloaded       atomic.Uint64
	appDial, appBroken, appTimeout      atomic.Uint64
	clientGone, resent, watched, panics atomic.Uint64
	tooLarge, truncated, undecodable    atomic.Uint64
	overBudget                          atomic.Uint64
	tunnels                             atomic.Int64
}

// Stats returns the numbers as they are now.
func (p *Proxy) Stats() Stats {
	c := &p.counters
	return Stats{
		Requests:      c.requests.Load(),
		Refused:       c.refused.Load(),
		Overloaded:    c.overloaded.Load(),
		AppDial:       c.appDial.Load(),
		AppBroken:     c.appBroken.Load(),
		AppTimeout:    c.appTimeout.Load(),
		ClientGone:    c.clientGone.Load(),
		Resent:        c.resent.Load(),
		Watched:       c.watched.Load(),
		TooLarge:      c.tooLarge.Load(),
		Truncated:     c.truncated.Load(),
		Undecodable:   c.undecodable.Load(),
		OverBudget:    c.overBudget.Load(),
		Panics:        c.panics.Load(),
		Connections:   p.clients.len(),
		WatchedBodies: p.budget.inUse(),
		Tunnels:       int(c.tunnels.Load()),
	}
}
