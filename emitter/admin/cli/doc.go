// Package cli has the commands that ask a running sidehook through the API of
// package admin: health, targets, deliveries, forget and backup.
//
// Commands returns them for the root command. Each has the flags of connection,
// which say where the sidehook listens and prove that its operator asks, and
// --json. Without --json, output is for people: tables fit in 80 columns, and
// text that comes from elsewhere cannot control the terminal.
//
//	command ─► connection ─► client ─► HTTP ─► admin.Admin
//	   └────► table, fields, or JSON
//
// An error of a command may have a method ExitCode; without it the code is 1.
package cli
