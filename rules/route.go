package rules

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// maxSegments is the maximum number of segments in the path of a route.
const maxSegments = 16

// friendlyParam is the parameter that names both the survey and its instance.
const friendlyParam = "friendly_id"

// route is a compiled route of a profile.
type route struct {
	method   string
	segments []segment
	friendly friendlyID
	kind     Kind
	hint     string
	// isNumeric reports that the ids of surveys and instances are numbers.
	isNumeric bool
	when      responseCondition
	only      conditions
	ids       map[string][]source
	// answer is where one answer is, and answers are those of a form.
	answer  source
	answers *answers
	attempt attempt
	outcome Outcome
	// served and posted are where a page and the request from it have the page's key.
	served, posted []source
	// knownAs is where another name of the participant is.
	knownAs []source

	// alternatives are the routes with the same method and path, this one first: the
	// first of them counts whose conditions hold at the end of the exchange.
	alternatives []*route
	// hasQuery reports whether an alternative reads the query.
	hasQuery bool
}

// attempt is what an exchange says of the participant's attempt at the survey.
type attempt string

const (
	// sameAttempt: it goes on.
	sameAttempt attempt = ""
	// newAttempt: it begins, and so the one before is over.
	newAttempt attempt = "new"
	// resumedAttempt: it goes on from what was done elsewhere, which is unknown.
	resumedAttempt attempt = "resumed"
)

// parseRoute compiles "METHOD /path/{param}".
func parseRoute(on string) (*route, error) {
	method, path, ok := strings.Cut(on, " ")
	if !ok || !strings.HasPrefix(path, "/") || method != strings.ToUpper(method) || method == "" {
		return nil, fmt.Errorf("must be a method and a path, such as GET /api/{survey}, not %q", on)
	}
	r := &route{method: method}
	words := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(words) > maxSegments {
		return nil, fmt.Errorf("has %d segments; at most %d are allowed", len(words), maxSegments)
	}
	for i, word := range words {
		s, err := parseSegment(word)
		if err != nil {
			return nil, err
		}
		if (s.kind == optionalParam || s.kind == anyRest) && i < len(words)-1 {
			return nil, fmt.Errorf("only the last segment may be missing, not %s", s)
		}
		r.segments = append(r.segments, s)
	}
	return r, nil
}

// on returns the method and path as a profile has them.
func (r *route) on() string {
	words := make([]string, len(r.segments))
	for i, s := range r.segments {
		words[i] = s.String()
	}
	return r.method + " /" + strings.Join(words, "/")
}

// Match finds the route of a request by its method and target, as they are on
// the wire. It allocates only if there is one. A target is tried as servers read it
// that keep empty segments and encoded slashes, and then as others do.
func (p *Profile) Match(method, target []byte) (Match, bool) {
	if m, ok := p.match(method, target, strictPath); ok || !isAmbiguous(target) {
		return m, ok
	}
	return p.match(method, target, mergedPath)
}

func (p *Profile) match(method, target []byte, way pathReading) (Match, bool) {
	var buffer [maxSegments][]byte
	words, ok := splitPath(target, buffer[:0], way)
	if !ok {
		return Match{}, false
	}
	var first, last *Match
	for _, r := range p.routes {
		if string(method) != r.method || !r.matches(words) {
			continue
		}
		m := &Match{route: r, params: r.paramsOf(words), isBySurvey: p.isBySurvey}
		if r.hasQuery {
			m.target = string(target)
		}
		if first == nil {
			first = m
		} else {
			last.next = m
		}
		last = m
	}
	if first == nil {
		return Match{}, false
	}
	return *first, true
}

// canonical returns an id in its one form.
func (r *route) canonical(name, id string) string {
	if r.isNumeric && (name == "survey" || name == "instance") {
		return trimZeros(id)
	}
	return id
}

func (r *route) matches(words [][]byte) bool {
	last := len(r.segments) - 1
	switch r.segments[last].kind {
	case optionalParam:
		if len(words) != last && len(words) != last+1 {
			return false
		}
	case anyRest:
		if len(words) < last {
			return false
		}
		words = words[:last]
	default:
		if len(words) != last+1 {
			return false
		}
	}
	for i, word := range words {
		if !r.segments[i].matches(word) || r.segments[i].isParam(friendlyParam) && !r.friendly.isName(word) {
			return false
		}
	}
	return true
}

func (r *route) hasParam(name string) bool {
	return slices.ContainsFunc(r.segments, func(s segment) bool { return s.isParam(name) })
}

// names reports whether the route has an id, in its path or elsewhere.
func (r *route) names(id string) bool { return r.hasParam(id) || len(r.ids[id]) > 0 }

// namesSurvey reports whether the route has the survey or its instance.
func (r *route) namesSurvey() bool {
	return r.names("survey") || r.names("instance") || r.hasParam(friendlyParam)
}

func (r *route) paramsOf(words [][]byte) map[string]string {
	params := make(map[string]string, len(words))
	for i, word := range words {
		if i == len(r.segments) {
			break
		}
		if s := r.segments[i]; s.isVariable() {
			params[s.text] = r.canonical(s.text, decodeSegment(word))
		}
	}
	if name, ok := params[friendlyParam]; ok {
		params["survey"], params["instance"] = r.friendly.ids(name)
	}
	return params
}

// reads reports whether anything is read from a body.
func (r *route) reads(b origin) bool {
	return r.requires(b) || r.has(b)
}

// has reports whether something other than the answers is read from there.
func (r *route) has(from origin) bool {
	for s := range r.sources() {
		if s.from == from {
			return true
		}
	}
	return false
}

// sources yields everything that the route reads but the answers.
func (r *route) sources() iter.Seq[source] {
	return func(yield func(source) bool) {
		lists := slices.AppendSeq([][]source{r.served, r.posted, r.knownAs}, maps.Values(r.ids))
		for _, c := range r.only {
			lists = append(lists, []source{c.source})
		}
		for _, list := range lists {
			for _, s := range list {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// requires reports whether the exchange cannot be understood without the body.
// Ids do not require theirs: they may be in the path too.
func (r *route) requires(b origin) bool {
	return r.answer.from == b || r.answers != nil && r.answers.at.from == b || b == responseBody && (r.hasPage() || r.kind == SurveyShown)
}

// hasPage reports whether the response has a page.
func (r *route) hasPage() bool {
	return (r.kind == PageShown || r.kind == Navigated || r.kind == Reached) && !r.names("page")
}

// check returns why the exchange cannot be read: a body that the route reads was not
// kept, or one that it requires is not what it should be.
func (r *route) check(x *reading) error {
	if why := r.lacks(x.LacksRequest, x.LacksResponse); why != "" {
		return fmt.Errorf("%w: %s", errUninspected, why)
	}
	for _, b := range []origin{responseBody, requestBody} {
		if !r.requires(b) {
			continue
		}
		if _, err := x.body(b); err != nil {
			return err
		}
	}
	return nil
}

// lacks returns why the exchange cannot be read: request and response say why that
// body was not kept, and are empty where it was. The result is empty if the route
// reads neither of the bodies that were not kept.
func (r *route) lacks(request, response string) string {
	switch {
	case request != "" && r.reads(requestBody):
		return request
	case response != "" && r.reads(responseBody):
		return response
	}
	return ""
}
