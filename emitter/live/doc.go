// Package live has what happens right now, for people who look: counters of the
// last hour, estimates of how many participants there are, and a feed of events
// and attempts.
//
//	record ──► Activity.Recorded ─┐
//	deliver ─► Activity.Attempted ┴► minutes, and each Subscription
//
// It holds no answers and no ids of participants, and everything in it is of a
// fixed size. Nobody who publishes ever waits for somebody who looks: a
// Subscription that is full misses entries and counts them. Nothing of it survives
// the process; what must is in the outbox.
package live
