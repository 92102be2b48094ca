package admin

// The kinds of a metric, as the text format of Prometheus names them.
const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// family is a metric with all its labels' values. The README has the same table.
type family struct{ name, kind, labels, help string }

// families are all metrics but those of the Go runtime and the process.
var families = []family{
	{"sidehook_requests_total", counter, "", "Requests of participants."},
	{"sidehook_requests_failed_total", counter, "cause", "Requests that did not get the app's whole answer: malformed, overloaded, app_unreachable, app_broken, app_timeout, client_gone."},
	{"sidehook_requests_resent_total", counter, "", "GET and HEAD requests that were sent to the app again, since a kept connection had died."},
	{"sidehook_connections", gauge, "", "Connections of participants that are open."},
	{"sidehook_tunnels", gauge, "", "Those of them that are tunnels (WebSocket)."},
	{"sidehook_panics_total", counter, "", "Panics in the proxy that were caught: each is a bug."},
	{"sidehook_exchanges_total", counter, "says, result", "Exchanges that matter, by what their route says and what came of it: recorded, ignored (the app refused), unreadable, lost, forgotten (its participant was, meanwhile)."},
	{"sidehook_uninspected_total", counter, "cause", "Exchanges that matter whose bodies could not be looked at: too_large, truncated, undecodable."},
	{"sidehook_journeys_joined_total", counter, "result", "Participants first seen without the app having just made them up, by what it told of before: complete, begun (nothing was before), partial (it could not be read)."},
	{"sidehook_released_at_risk_total", counter, "", "Responses that went out before what they say was on disk."},
	{"sidehook_events_total", counter, "event", "Events that were recorded, whether or not a rule wants them; a completion is not counted as a page_navigation too."},
	{"sidehook_deliveries_total", counter, "target, outcome", "Deliveries that came to their end: delivered, dead."},
	{"sidehook_redelivered_total", counter, "", "Deliveries that an operator had sent again."},
	{"sidehook_discarded_total", counter, "", "Deliveries that an operator discarded."},
	{"sidehook_attempts_total", counter, "target, outcome", "Attempts: delivered, retry, throttled, rejected, gone, ours."},
	{"sidehook_attempt_seconds", histogram, "target", "How long attempts took."},
	{"sidehook_delivery_seconds", histogram, "target", "From the app's response to the target's 2xx."},
	{"sidehook_deliveries", gauge, "target, state", "Deliveries that are kept: pending, delivered, dead."},
	{"sidehook_oldest_pending_seconds", gauge, "target", "Age of the oldest pending delivery, 0 without one."},
	{"sidehook_attempts_in_flight", gauge, "target", "Attempts under way."},
	{"sidehook_target_state", gauge, "target, state", "1 for the state that the target is in: up, down (its breaker is open), held (it asked for a pause), disabled."},
	{"sidehook_store_open", gauge, "", "Whether the state file is open and can be written."},
	{"sidehook_store_waiting", gauge, "", "Changes that wait in memory for the disk."},
	{"sidehook_store_lost_total", counter, "", "Changes that found no room to wait, and deliveries that found none in the file."},
	{"sidehook_store_dropped_total", counter, "", "Changes that failed: each is a bug."},
	{"sidehook_store_trimmed_total", counter, "", "Records whose retention was over."},
	{"sidehook_store_bytes", gauge, "", "Size of the state file."},
	{"sidehook_store_used_bytes", gauge, "", "How much of it holds something."},
	{"sidehook_store_commit_seconds", histogram, "", "How long commits took."},
	{"sidehook_config_last_reload_successful", gauge, "", "Whether the configuration that counts is the one in the file."},
	{"sidehook_config_last_reload_success_timestamp_seconds", gauge, "", "When a configuration was taken last."},
	{"sidehook_build_info", gauge, "version", "1, with the version."},
}
