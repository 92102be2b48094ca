// Package memory has the log of several replicas and the link between them in memory,
// for tests: lines can be cut, and acknowledgements lost. Everything is as strict as
// outbox.Log and replica.Link allow: bytes are overwritten as soon as they are no longer valid.
package memory
