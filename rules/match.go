package rules

import (
	"strconv"
	"strings"
)

// Lacks returns why the exchange cannot be read: request and response say why a
// body is not at hand, empty where it is. It is empty where the route reads neither of those.
func (m Match) Lacks(request, response string) string {
	readsRequest, readsResponse := m.route.answer.of == fromRequest, m.route.readsResponse()
	for _, id := range m.route.ids {
		readsRequest = readsRequest || id.of == fromRequest
		readsResponse = readsResponse || id.of == fromResponse
	}
	switch {
	case readsRequest && request != "":
		return request
	case readsResponse && response != "":
		return response
	}
	return ""
}

// WhyNothing returns the reason why an exchange that Observe finds to say nothing does.
func (m Match) WhyNothing(x Exchange) string {
	if !m.route.when.holds(x) {
		return "it would say " + string(m.Says()) + " with " + m.route.when.String() + ", but the app answered " + statusLine(x)
	}
	return "it names no participant yet"
}

// String writes the condition as a profile would.
func (c condition) String() string {
	return strings.TrimSpace(strconv.Itoa(c.status) + " " + c.mediaType)
}

// statusLine is what a condition is compared with.
func statusLine(x Exchange) string {
	if x.Status == 0 {
		return "nothing"
	}
	return strings.TrimSpace(strconv.Itoa(x.Status) + " " + x.ContentType)
}
