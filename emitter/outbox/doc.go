// Package outbox is the durable store of sidehook: journeys, page definitions,
// deliveries and their attempts, in one bbolt file of the state directory.
//
//	Submit, Do ─► changes (in memory, bounded) ─► writer ─► one transaction ─► done
//	List, Due, Load, Target … ◄── read transactions
//
// A [Store] has one goroutine that writes, [Store.Run]. It takes all changes that
// wait and commits them together (two fdatasyncs), so that batches grow with the
// load and a single change waits for nobody. While the file cannot be opened or
// written, changes wait in memory. A change works on a [Tx].
//
// Memory and the cost of a delivery stay flat however many are pending: all
// indexes are on disk, and the records of a delivery are ordered by its seq.
//
//	meta           format, epoch, salt, ledger
//	journeys       key → last exchange, head
//	journey_parts  hash of the key, name → a page, an answer, …
//	journey_age    hour of the last exchange, key
//	eventless_age  the same, of journeys that have led to no event
//	pages          hash → definition
//	page_use       hash → day of the last use
//	unsettled      key of a journey with unfinished work → process
//	targets        name → number, counts, disabled, held
//	deliveries     seq → what is sent; never changes
//	progress       seq → state, attempts, due, next in its lane
//	failures       seq → the last failed attempt
//	ids            hash of the id, for a copy of id and target → seq
//	lanes          target, hash of the lane → seq of its last pending delivery, what is pending
//	ready          target, class, … → the head of each lane; see ready.go
//	done           target, state, finished, seq; see done.go
package outbox
