// Package cli has the operator's commands, which use the API of package admin:
// health, targets, deliveries, surveys, forget and backup. It also has what all commands of
// the program share: Execute runs a command line, Build is what the program was
// built from.
//
// Commands returns the operator's commands for the root command. Each has the flags
// of connection (the address of the admin listener, the token) and --json. Without --json, output is for people: tables fit in 80 columns,
// and foreign text cannot control the terminal. No command prints in colour.
//
//	Execute ─► command ─► client ─► HTTP ─► admin.Admin
//	              └─────► table, fields, or JSON
//
// The commands are in the files of their names; those of `sidehook deliveries` are in
// deliveries.go (list, show), redeliver.go and discard.go.
//
// An error of a command may have a method ExitCode. Without it the exit code is 1,
// or 2 for an error in the command line.
package cli
