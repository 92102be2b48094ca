// Package rules knows what the traffic of a survey app means and who wants to
// hear of it. It is pure: no I/O after loading, no clock, no goroutine.
//
//	exchange ─► profile ─► observation ─► journey ─► event ─► rules ─► targets
//
// A Profile says which exchanges of an app matter and what each one says. A Fold
// takes observations into the Journeys of participants, which makes events. A Set
// says which of the configured targets get an event.
package rules
