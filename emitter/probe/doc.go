// Package probe finds out, before sidehook runs, whether what its configuration needs
// is there: `sidehook check --probe`.
//
//	state ──┐
//	ports ──┤
//	app ────┼─► findings, one line each
//	target ─┤
//	clock ◄─┘ of the targets
//
// All probes run at the same time, each with a deadline. None changes anything: a file
// in the state directory is removed again, ports are closed again, the app gets one GET
// and each target one HEAD of its root.
package probe
