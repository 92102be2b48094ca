// Package check is `sidehook check`: it checks configuration files without running
// them.
//
//	files, or "-" ─► config.Load, config.Parse ─► rules.LoadProfile ─► problems, or a summary
//
// Command returns the command. For each file it prints every problem with its
// position, or else what the configuration does (Config.Summary); --json prints the
// same for programs. The exit code is 1 when a file has problems.
//
// It reads what a configuration refers to (secrets, certificates, the profile), so
// it must run where sidehook is to run, with the same environment and files.
package check
