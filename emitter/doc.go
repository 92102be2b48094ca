// Package emitter takes an event to a 2xx of every target that wants it.
//
//	exchange ─► Recorder ─► outbox (journey and deliveries, one transaction)
//	                          │
//	                          ▼
//	                      Dispatcher ─► Sender ─► target
//	        (one queue, limiter and breaker per target)
package emitter
