// Package rig runs sidehook as a process of its own, for the programs that
// measure it and attack it:
//
//	Build ──► binary ──► Start ──► Process     memory and CPU from /proc
//	                                  │
//	                      Server ◄────┘        an app, or a receiver that verifies with IsSigned
//
// It knows no configuration and no survey; those belong to the programs.
//
// A Process dies with the thread that started it, so that an interrupted program
// leaves none behind. A program whose goroutines end threads (by exiting while
// locked to one) must not start processes from those.
package rig
