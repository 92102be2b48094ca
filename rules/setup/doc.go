// Package setup is `sidehook init`: it writes a first configuration and its secret,
// from five questions or from flags.
//
//	flags, questions ─► answers ─► config.yaml, receiver.secret ─► config.Parse ─► files ─► what to do next
//
// What it would write is checked before it writes anything, and it replaces no file
// without being asked to, and a secret never.
package setup
