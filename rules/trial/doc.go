// Package trial is the command that dry-runs recorded traffic through a
// configuration.
package trial
