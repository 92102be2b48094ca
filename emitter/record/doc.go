// Package record takes what exchanges say to durable events.
//
//	proxy ─► Recorder.Begin … end ─► observation         in the request's goroutine
//	                                     │ store.Submit, in the order of the ends
//	                                     ▼
//	                        rules.Fold.Observe           in the store's writer, one
//	              journeys ◄──┤                          transaction for each change
//	                          ├─► events ─► routing ─► deliveries ─► outbox
//	                          ├─► settle later ────┐
//	                          └─► read the past ───┤     in the goroutines of Run
//	                                               ▼
//	                        rules.Fold.Settle, Join
//
// A Recorder implements proxy.Watcher. Its parts are:
//
//   - flights: which exchanges are in flight, so that an event waits for answers, and
//     a page shown while a navigation is in flight is not taken for a missed one
//   - journeys: the store of a rules.Fold, in an outbox.Tx
//   - settlements: when an event stops waiting for answers
//   - joins: reading from the app what participants did before they were observed
//   - waiting: how much waits for that, of all participants; expiring: until when, if
//     no request has named the survey
//   - leftovers: what an earlier process left unfinished, a few journeys at a time
//   - silences: who has been silent for so long that they may have abandoned the survey
//   - routing: which targets get an event, what they may see, and in which format
//
// The response of an exchange is held back until its observation is on disk, for
// at most 250 ms. What cannot be read or stored is counted and logged; it never
// fails a request.
package record
