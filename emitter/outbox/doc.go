// Package outbox is the durable store: journeys, page definitions, deliveries
// and their attempts, in one bbolt file of the state directory.
//
//	Submit ─► queue (bounded, in memory) ─► writer ─► one transaction, two fdatasyncs ─► done
//
// One goroutine writes. It takes all that waits and commits it at once, so that
// batches grow with the load and a lone change waits for nobody. While the file
// can't be opened or written, changes wait in the queue up to its bound.
//
// The layout keeps memory and the cost of a delivery flat however many wait:
// every index is on disk, and what a delivery touches on its way lies side by
// side, in the order of its seq.
//
//	meta         format, epoch, salt
//	journeys     key → last exchange, data             journey_age  hour of the last exchange, key
//	pages        hash → definition                     page_use     hash → day of the last use
//	unsettled    key
//	targets      name → number, counts, disabled, held
//	deliveries   seq → what is sent; never changes     ids          hash of the id (and of the target, for a copy) → seq
//	progress     seq → state, attempts, due, next in its lane
//	failures     seq → the last failed attempt
//	lanes        target, hash of the lane → seq of its last pending delivery
//	ready        target, class, … → the head of each lane (see ready.go)
//	done         target, state, finished, seq
package outbox
