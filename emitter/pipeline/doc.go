// Package pipeline assembles what an event passes from the exchange to its targets:
// recorder, store and dispatcher, and what joins them with other replicas. It has the
// order in which they start and stop.
//
//	alone      store ─► dispatcher, recorder             all the time
//	replicas   store, roster, seer, answers              all the time
//	           dispatcher, recorder                      while this replica leads
package pipeline
