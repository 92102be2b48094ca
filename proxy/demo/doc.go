// Package demo is a small survey app that speaks Decsys' wire format, and the command
// `sidehook demo`, which runs it behind a sidehook. Tests put it behind one, too. The
// app itself knows nothing of sidehook.
//
//	browser ──► App ──► index.html                 the page, whatever the path
//	             │
//	             ├── /api/progress  progress.go    where a participant is, and the next page
//	             ├── /api/log       log.go         events, answers among them
//	             │   .../summary    summary.go     answers by page
//	             └── /api/surveys   instance.go    the survey itself
//
//	sidehook ──► a receiver ──► feed               what it got, beside the survey
//
// Command has a Sidecar run between the two, which keeps its state, and so answers,
// in a temporary folder until the demo ends. The receiver is handed in, as Parts.
//
// An App serves one Survey with one instance, repeatable and anonymous; there are
// no accounts, no studies and no typed ids. As in Decsys, the state of a
// participant is nothing but their events: the page that they are on and the
// answers are derived from the log whenever they are asked for. The log is kept
// in memory.
//
// TestAppRespondsAsDecsysDid compares the responses with recordings of Decsys
// 2.6.0, in testdata.
package demo
