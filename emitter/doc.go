// Package emitter is where the packages are that take an event to a 2xx response of
// every target that gets it. It holds no code itself.
//
//		exchange ─► record ─► outbox ─► deliver ─► send ─► target
//		                        ▲          │
//		                        └──────────┘ what became of each attempt
//		                        ▲
//		                      admin
//
//	  - record folds what an exchange says into the participant's journey. The events
//	    that come of it become deliveries: one for each target, with its id and body.
//	  - outbox is the state file. Journey and deliveries are one transaction of it, and
//	    on disk before the participant sees the response.
//	  - deliver has one queue per target. It decides which delivery is attempted when:
//	    order, concurrency, rate, retries, circuit breaker.
//	  - send makes one attempt: it signs, connects, sends, and classifies the response.
//	  - admin serves health, metrics, and the deliveries and targets to operators.
//
// An event passes through them as follows. Recorder.Begin and the function that it
// returns submit an observation; in the store's writer, Tx.Enqueue adds deliveries.
// The commit wakes the queues of their targets by Store.Ready. A queue reads what is
// due and has a Sender attempt it. The outcome goes back to the outbox: delivered,
// due again at a later time, or dead.
package emitter
