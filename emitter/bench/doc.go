// Command bench measures the emitter, and prints what the design wants beside
// what there is:
//
//	go run ./emitter/bench              everything, in about five minutes
//	go run ./emitter/bench -only drain  one section
//
// Where a whole sidecar is measured it is built first and runs as a process of
// its own, so that its memory and CPU are its own; the app, the participants
// and the receivers run here. All of it shares the machine, so figures of a
// busy one are worth little: the ratios are what counts.
package main
