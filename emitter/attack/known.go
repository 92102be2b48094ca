package main

// knownFailures are the attacks that are known to succeed, with what they do.
// They do not fail the run, and one that no longer succeeds is reported.
var knownFailures = map[string]string{}
