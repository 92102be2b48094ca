package rules

import (
	"strconv"
	"strings"
)

// Match is a request that a route of the profile matches.
type Match struct {
	route  *route
	params map[string]string
	// target is that of the request, if it is read from.
	target string
	// isBySurvey reports whether journeys are those of a survey each.
	isBySurvey bool
	// next is the match of the next route with another path that matches, too; nil for none.
	next *Match
}

// Kind is the kind of the observation if the app accepts the request; of several
// that it may be, the first.
func (m Match) Kind() Kind { return m.route.kind }

// Route returns the method and path of the route, as a profile has them.
func (m Match) Route() string { return m.route.on() }

// Conditions returns those by which the route says what it does, of several routes
// for the same requests the one whose conditions hold; nil for one without.
func (m Match) Conditions(p *Profile, x Exchange) (written []string) {
	r := m.reading(p, x)
	for _, alternative := range m.route.alternatives {
		if !alternative.when.holds(x) || alternative.only.failing(r) != "" {
			continue
		}
		for _, c := range alternative.only {
			written = append(written, c.written)
		}
		return written
	}
	if m.next != nil {
		return m.next.Conditions(p, x)
	}
	return nil
}

// Hint is what to log for operators when the app fails at all such requests;
// empty where the profile has none.
func (m Match) Hint() string { return m.route.hint }

// Participant is the participant in the request's path, empty where it has none.
func (m Match) Participant() string { return m.params["participant"] }

// Item is the item in the request's path, empty where it has none.
func (m Match) Item() string { return m.params["item"] }

// Journey is the journey in the request's path, which may have no participant yet.
func (m Match) Journey() Key {
	return m.key(m.params["survey"], m.params["instance"], m.params["participant"])
}

// key returns the key of a journey.
func (m Match) key(survey, instance, participant string) Key {
	if !m.isBySurvey {
		survey = ""
	}
	return newKey(survey, instance, participant)
}

// Disturbs reports whether, of two requests of one participant in flight at the
// same time, one may have moved the participant on unseen by the other. Two
// requests for the page do not: otherwise, with two tabs open, neither could
// show that a navigation went unseen.
func (m Match) Disturbs(other Match) bool {
	return m.Kind() != PageShown || other.Kind() != PageShown
}

// WhyNothing returns why Observe found that the exchange says nothing.
func (m Match) WhyNothing(p *Profile, x Exchange) string {
	r := m.reading(p, x)
	var whys []string
	for _, alternative := range m.route.alternatives {
		would := "it would say " + string(alternative.kind)
		if !alternative.when.holds(x) {
			whys = append(whys, would+" with "+alternative.when.String()+", but the response was "+responseLine(x))
			continue
		}
		failing := alternative.only.failing(r)
		if failing == "" {
			return "it names no participant yet"
		}
		whys = append(whys, would+", but not: "+failing)
	}
	if m.next != nil {
		whys = append(whys, m.next.WhyNothing(p, x))
	}
	return strings.Join(whys, "; ")
}

func (m Match) reading(p *Profile, x Exchange) *reading {
	return &reading{Exchange: x, html: p.html, target: m.target}
}

// responseLine is the response in the form of a responseCondition.
func responseLine(x Exchange) string {
	if x.Status == 0 {
		return "nothing"
	}
	return strings.TrimSpace(strconv.Itoa(x.Status) + " " + x.ContentType)
}

// id is the value of one id. What the profile reads elsewhere comes before the path,
// null in a body included; but older releases of an app may leave it out.
func (m Match) id(name string, r *reading) string {
	id, _ := m.idFrom(name, r)
	return id
}

// idFrom returns an id, and where it was read from; the zero source for the path.
func (m Match) idFrom(name string, r *reading) (id string, from source) {
	sources := m.route.ids[name]
	for _, s := range sources {
		text, ok := s.text(r)
		if ok && (text != "" || len(sources) == 1 && s.from.isBody()) {
			return m.route.canonical(name, text), s
		}
	}
	return m.params[name], source{}
}
