// Package send makes one attempt to deliver a webhook: it signs a delivery,
// posts it to its target and classifies how that ended. It keeps no queue and
// never retries, but for a request that met a connection which had died idle.
//
//	Delivery ─► signer ─► header ─► transport ─────────────► target
//	                                  │ address guard, TLS,     │
//	                                  │ forward proxy           │
//	Result ◄─ classifyError ◄─────────┘                         │
//	       ◄─ classifyResponse ◄────────────────────────────────┘
//
// A Sender belongs to one target and holds all that is its own: credentials,
// signing keys, certificates and connections. Its Result has the Outcome that
// the retry policy and the circuit breaker work with, and a Reason in our own
// words for operators. Neither holds an answer, a secret or a URL.
//
// The connections of a target are guarded when they are dialled: the address
// that a name resolved to must be in a class that the target allows. Files with
// certificates are read again when they change.
package send
