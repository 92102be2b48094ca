package send

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// maxRetryAfter bounds the wait that a target can ask for.
const maxRetryAfter = outbox.MaxRetryAfter

// classifyResponse classifies a final response that arrived at a certain time.
func classifyResponse(response *http.Response, at time.Time) Result {
	status := response.StatusCode
	result := Result{Outcome: classifyStatus(status), Status: status, Disable: hasDirective(response.Header, "disable")}
	switch {
	case result.Outcome == Delivered:
	case hasDirective(response.Header, "abort-message"):
		result.Outcome = Aborted
	case result.Disable:
		result.Outcome = Gone
	}
	if result.Outcome != Delivered {
		result.Reason = "status " + strconv.Itoa(status)
		result.RetryAfter = retryAfter(response.Header.Get("Retry-After"), at)
	}
	return result
}

// classifyStatus maps status codes to outcomes. A 401 or 404 is retried like a 503:
// a receiver that is being deployed, or that has lost its key, comes back. A 3xx is a
// failure and never followed: a redirect could carry answers to a host that nobody
// configured.
func classifyStatus(status int) Outcome {
	switch {
	case status >= 200 && status <= 299:
		return Delivered
	case status == http.StatusTooManyRequests:
		return Throttled
	case status == http.StatusGone:
		return Gone
	case refusesContent(status):
		return Rejected
	default:
		return Retry
	}
}

// refusesContent reports whether a status says that the same request will never be accepted.
func refusesContent(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusRequestHeaderFieldsTooLarge:
		return true
	}
	return false
}

// hasDirective reports whether the webhook-delivery field has a directive:
// "disable" asks for no further deliveries, "abort-message" for no retry of this one.
func hasDirective(header http.Header, directive string) bool {
	for _, value := range header.Values("webhook-delivery") {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), directive) {
				return true
			}
		}
	}
	return false
}

// retryAfter parses a Retry-After field (RFC 9110, section 10.2.3): seconds, or a
// date, which is compared with at. Any other value is ignored.
func retryAfter(value string, at time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if isDigits(value) {
		seconds, err := strconv.Atoi(value)
		if err != nil || seconds > int(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(at), 0), maxRetryAfter)
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
