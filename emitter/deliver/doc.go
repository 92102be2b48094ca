// Package deliver takes deliveries from the outbox to their targets: one queue
// for each target, which knows nothing of the others.
//
//	outbox ──due──► queue ──attempt──► Sender ─► target
//	   ▲              │ backlog: what to send next
//	   │              │ health:  may it be sent (breaker, hold, disabled)?
//	   │              │ pace:    how fast (rate, concurrency, own failures)?
//	   └─── acks ◄────┘ retry:   what becomes of it
//
// A Dispatcher owns the queues. Each queue is one goroutine that holds all of its
// state in three values (backlog, health, pace) and waits for something to
// happen: a delivery that is due, an attempt that ended, a commit, a changed
// target. Attempts run in goroutines of their own and report back to it.
//
// sending.go starts what may be sent now and attempt.go handles how it ended. Which
// delivery a probe takes is decided by admission.go and backlog.go, what its end
// means by judge.go, breaker.go and decideProbe. The order of a participant's
// deliveries is kept by the outbox (its lanes).
//
// A delivery is busy from the start of its attempt until the result is on disk;
// only then does the participant's next one follow. So a crash repeats at most
// what was busy, and nothing overtakes.
//
// Anybody can write something that a receiver fails at, so a failure says little of
// the target (evidence): the breaker opens when connections fail, or the first
// attempts of different participants' deliveries. While it is open there is one probe
// at a time. A target that gives no connection is left alone between probes; one that
// fails deliveries goes on getting those that never failed, so that they wait for
// attempts that fail but never for the breaker. Only a probe without a connection is
// free.
//
// The retry policy (decide) is a pure function of a delivery and a send.Result.
// The Sender is declared here and implemented by package send.
package deliver
