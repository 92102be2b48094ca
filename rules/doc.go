// Package rules decides what the traffic of a survey app means, and which
// targets receive the events that follow from it. Once a profile has been loaded
// the package is pure: no I/O, no clock, no goroutine.
//
//	Exchange ──► Profile ──► Observation ──► Fold ──► Event ──► Set ──► Selection
//	one request   Match,      "answered",    Journey   From,     Select   a target,
//	and response  Observe     "navigated", …           To, …              and a rule
//
// A [Profile] is YAML that describes one app: which requests matter, what each
// one says, and where its fields lie. Match finds the route of a request, and
// Observe reads the exchange into an [Observation].
//
// A [Fold] takes observations into journeys. A [Journey] is what one participant
// has done in one survey instance. A navigation makes an [Event], which is held
// back while answers of the participant are in flight. A participant first seen in
// the middle of a survey has a [Past], which Profile.ReadPast reads from the app.
//
// A [Set] holds the rules of a configuration. Select returns which targets get
// an event; Explain returns why, key by key. A [Redaction] removes from an event
// what a target must not see.
//
// Event.Data is the event as JSON: what the `when` of a rule reads, and the data
// of a webhook.
//
// Bodies are JSON: bodyPath, readPage, readEvent and checkBodies assume it.
//
// The files, by concept:
//
//	loading a profile   profile, *_file, *_fields, body_path, segment, response_condition
//	observing           route, match, exchange, observation, page, friendly_id
//	journeys            journey*, fold, newcomers, past, history, key
//	rules               set, matcher, verdict, event, event_data
//	privacy             redaction
//
// Packages rules/check and rules/trial are commands that use this one.
package rules
