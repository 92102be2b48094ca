// Package outbox is the durable store of sidehook: journeys, page definitions,
// deliveries and their attempts, in one bbolt file of the state directory and a
// journal in front of it.
//
//	Submit, Do ─► changes (in memory, bounded) ─► writer ─► journal ─► done
//	                                                 ▼
//	                                         overlays in memory ──checkpoint──► bbolt
//	                                                 ▼                            ▼
//	List, Due, Load, Target … ◄───────────────────  view  ◄───────────────────────┘
//
// A [Store] has one goroutine that writes, [Store.Run]. It takes all changes that
// wait and commits them together, with one write and one fdatasync of the journal,
// so that batches grow with the load and a single change waits for nobody. While
// the files cannot be opened or written, changes wait in memory. A change works on
// a [Tx], a reader on a view: both see the state file with the overlays above it.
//
// What is in the journal is in an overlay too. Every few seconds, or after some
// megabytes, the overlay is frozen, another segment of the journal begins, and a
// checkpoint writes the frozen one into the state file in the background; engine
// has the details. A start after a kill reads the journal into overlays again, so
// that it goes on where it was.
//
// With [Options.Log] a Store is one of several replicas, whose state files are alike:
//
//	leading     changes ─► writer ─► Log.Write ─► journal ─► done
//	following              entries of the log ─► writer ─► journal
//
// The one that leads writes what a commit changes to the log before it writes it to its
// own journal; the others apply it. Each file notes in the same commit how far in the
// log it is. Who leads is said by the log itself: a replica that hears nothing for two
// seconds writes that it leads, right after the last entry that it has, and the log
// takes one of those who try. A leader that another one has overtaken learns it from
// its next write, drops what that had, and follows. See replication, proposal and terms.
//
// Memory and the cost of a delivery stay flat however many are pending: all
// indexes are on disk, and the records of a delivery are ordered by its seq.
//
//	pieces         bucket, key, number → a part of a long value; see piece.go
//	meta           format, epoch, salt, position in the journal, ledger
//	journeys       key → last exchange, head, …; see journey_record.go
//	damaged        number → what was damaged; see damage.go
//	journey_parts  hash of the key, name → a page, an answer, …
//	journey_age    group, time of an exchange, key; for its silence see silence.go
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
//	surveys        hash of the survey → its names, what its statistics take
//	survey_pages   hash of the survey, of the page → its name
//	survey_counts  hash of the survey, kind, day, hash of the page → counts; see statistics.go
//	done           target, state, finished, seq; see done.go
package outbox
