// Command bench measures sidehook from the participant's response to the
// webhook, and prints each figure beside its bar:
//
//	go run ./emitter/bench                       every section, in some minutes
//	go run ./emitter/bench -only latency         one section
//	go run ./emitter/bench -smoke                every section for a moment: does each still work?
//	go run ./emitter/bench -before ./sidehook-1  another build of sidehook, measured in turn
//	go run ./emitter/bench -only record -journeys 1000000 -queued 1000000
//
// sidehook is built from this tree and runs as a process of its own, so that
// its memory and CPU are its own. The app, the participants and the receivers
// run here, and speak to it over HTTP only:
//
//	participants ──► sidehook ──► app       Decsys' wire; the app makes up ids
//	     │              │
//	     └─► ledger ◄── receivers           what was acknowledged, what arrived
//
// A [crowd] of participants takes the survey; the [ledger] pairs each response
// to "next" with its webhook and counts what is lost, repeated, out of order or
// has a second id. A backlog is made in the same way, with a target that never
// responds, so a build reads only state that it wrote itself.
//
// State files go to /var/tmp, because /tmp is memory on many machines and the
// store has to meet a disk. Everything shares one machine: absolute figures are
// worth little, ratios of builds measured in turn are what counts.
//
// A section that cannot produce its figure ends the run with status 1; a missed
// bar does not.
package main
