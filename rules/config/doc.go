// Package config is the configuration file as data: what it says, what is wrong
// with it, and what of it a running process can change.
//
//	config.yaml ─► strictyaml.Decode ─► Config ─► checks ─► Config, or *Error
//	                                       ▲         │
//	             environment, files ───────┘ secrets, certificates, profile
//
// Load reads a file with everything that it refers to, and returns a Config with
// every default filled in, or an Error with all problems, each with its position.
// A Config is data only: other packages decide what to do with it. Config.Update
// merges a changed one into one that runs.
//
// The checks are in check.go and check_*.go, the defaults in defaults.go, and the
// keys that change without a restart in change.go. summary.go describes a Config.
//
// Values print as they would be written, and never more than may be seen: a Secret
// prints as <secret> and a URL as scheme and host, whatever prints or encodes them.
// Duration, Size, Rate, Network, Allowed, Proxy and PageName read themselves.
//
// config.example.yaml in the root of the repository is the reference manual. The
// descriptions in the JSON Schema, rules/schema/config.json, are its comments; the
// tests of this package compare both with the structs, and write the schema with
// -update.
package config
