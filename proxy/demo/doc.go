// Package demo is the command `sidehook demo`, and the small survey app in it that
// speaks Decsys' wire: something to try sidehook on, and something for tests to
// stand behind a proxy. The app keeps everything in memory and does not know
// sidehook; the sidehook between it and the Receiver keeps answers in a temporary
// folder until the demo ends.
//
//	browser ─► Sidecar ─► App
//	              └─────► Receiver (prints each webhook)
//
// Its responses were compared with recordings of Decsys 2.6.0. It has one
// survey with one instance, repeatable and anonymous; no accounts, no studies
// and no typed ids.
package demo
