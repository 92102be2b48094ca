package main

// knownFailures are the attacks that are known to succeed, with what they do.
// They do not fail the run, and one that no longer succeeds is reported.
var knownFailures = map[string]string{
	"small-requests-fill-store":  "200-byte requests make events of 4 MB, which fill the store for every target",
	"many-ids-fill-store":        "journeys are not dropped for size, so the file grows past retention.size",
	"bounded-answers-fill-store": "one participant's events fill the store for every target",
	"many-ids-bounded-answers":   "journeys are not dropped for size, so the file grows past retention.size",
	"evict-dead":                 "what made-up participants answer pushes dead deliveries out",
	"evict-dead-small-answers":   "what made-up participants answer pushes dead deliveries out",
	"evict-dead-named-survey":    "what made-up participants answer pushes dead deliveries out",
	"damaged-records":            "records have no checksum, so a damaged body is signed and sent",
	"unnamed-survey":             "answers for a survey that nobody names wait without a bound in bytes",
	"unnamed-survey-many-ids":    "answers for a survey that nobody names wait without a bound in bytes",
	"unnamed-survey-alternating": "answers for a survey that nobody names wait without a bound in bytes",
	"unfinished-bodies":          "bodies being watched have no bound together",
	"slow-uploads":               "bodies being watched have no bound together",
	"slow-readers":               "a connection whose responses are not read takes 270 KB, and its requests are recorded all the same",
	"leftovers-at-start":         "what waits for ever is settled at each start, and fills the queue of the writer",
	"leftovers-after-kill":       "what waits for ever is settled at each start, and fills the queue of the writer",
	"heavy-journey":              "an observation costs as much as its journey is large",
	"long-ids":                   "an id that is longer than a key of the store fails its batch, and is logged each time",
	"many-ids-beside-own-ids":    "the pasts of made-up participants are read before those of others",
	"poisoned-bodies":            "the circuit breaker judges a target by what participants answered",
	"unsolicited-responses":      "net/http logs a response that nobody waits for, which may have the webhook in it",
	"admin-connections":          "idle connections keep the admin listener from responding",
	"few-descriptors":            "no descriptor is kept for the app",
	"stderr-stuck":               "logging waits for a reader of standard error",
	"stderr-broken":              "SIGPIPE ends the process",
	"hidden-steps":               "a request body that no route reads makes a navigation unreadable",
}
