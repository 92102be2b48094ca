// Package jetstream has on NATS JetStream what the replicas of one app share: the log
// of their stores, what they saw, and what they tell and ask each other.
//
//	APP_written    entries, appended by compare-and-append on the last sequence
//	APP_seen       messages of what was seen, in the order in which they come
//	APP_snapshots  snapshots, each as pieces with a subject of its own
//	APP.tell.…     messages without storage
//	APP.ask.…      questions, and their answers
//
// An acknowledged message is on the disk of a majority of the servers only where they
// have sync_interval: always. That is a setting of the servers, which their operator
// makes and Inspect looks for.
//
// Three habits of JetStream shape the code. A pull consumer without acknowledgements
// counts as delivered what was on its way when a server died, so each read checks that
// the next message has the next number, and begins again otherwise. A publication whose
// acknowledgement is lost may be stored or not, so it is repeated with the same id until
// the outcome is known. And an append that is refused for its last sequence may have
// been refused for no rival, so what is stored there decides.
package jetstream
