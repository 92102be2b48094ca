// Package profiles holds the built-in profiles. A profile describes in YAML what the
// traffic of one app means: which requests matter, what each one says, and where the
// ids, pages and answers are in it.
//
//	NAME.yaml ─► Read(NAME) ─► rules.LoadProfile ─► rules.Profile
//
// A file here is built in under its name without the extension; Names returns them
// all, and the configuration key `profile` takes one of them or the path of a file.
// Package rules compiles profiles, and describes their language in
// rules/schema/profile.json. Every key of the language has a comment in one of the files
// here, decsys.yaml and limesurvey.yaml above all.
package profiles
