package rules

import (
	"strconv"
	"strings"
)

// Match is a request that a route of the profile matches.
type Match struct {
	route  *route
	params map[string]string
}

// Kind is the kind of the observation if the app accepts the request.
func (m Match) Kind() Kind { return m.route.kind }

// Hint is what to log for operators when the app fails at all such requests;
// empty where the profile has none.
func (m Match) Hint() string { return m.route.hint }

// Participant is the participant in the request's path, empty where it has none.
func (m Match) Participant() string { return m.params["participant"] }

// Item is the item in the request's path, empty where it has none.
func (m Match) Item() string { return m.params["item"] }

// Journey is the journey in the request's path, which may have no participant yet.
func (m Match) Journey() Key {
	return newKey(m.params["survey"], m.params["instance"], m.params["participant"])
}

// Disturbs reports whether, of two requests of one participant in flight at the
// same time, one may have moved the participant on unseen by the other. Two
// requests for the page do not: otherwise, with two tabs open, neither could
// show that a navigation went unseen.
func (m Match) Disturbs(other Match) bool {
	return m.Kind() != PageShown || other.Kind() != PageShown
}

// WhyNothing returns why Observe found that the exchange says nothing.
func (m Match) WhyNothing(x Exchange) string {
	if !m.route.when.holds(x) {
		return "it would say " + string(m.Kind()) + " with " + m.route.when.String() + ", but the response was " + responseLine(x)
	}
	return "it names no participant yet"
}

// responseLine is the response in the form of a responseCondition.
func responseLine(x Exchange) string {
	if x.Status == 0 {
		return "nothing"
	}
	return strings.TrimSpace(strconv.Itoa(x.Status) + " " + x.ContentType)
}

// id is the value of one id. What the profile reads from a body comes before the
// path, null included; but older releases of an app may leave it out.
func (m Match) id(name string, x Exchange) string {
	if path, ok := m.route.ids[name]; ok {
		if value := path.value(x); value.Exists() {
			return m.route.canonical(name, value.String())
		}
	}
	return m.params[name]
}
