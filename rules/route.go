package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sidehook/sidehook/rules/jsonpath"
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
	ids       map[string]bodyPath
	answer    bodyPath
}

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
		if s.kind == optionalParam && i < len(words)-1 {
			return nil, fmt.Errorf("only the last segment may be missing, not %s", s)
		}
		r.segments = append(r.segments, s)
	}
	return r, nil
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
	for _, r := range p.routes {
		if string(method) == r.method && r.matches(words) {
			return Match{route: r, params: r.paramsOf(words)}, true
		}
	}
	return Match{}, false
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
	missing := len(words) == last && r.segments[last].kind == optionalParam
	if len(words) != len(r.segments) && !missing {
		return false
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

func (r *route) paramsOf(words [][]byte) map[string]string {
	params := make(map[string]string, len(words))
	for i, word := range words {
		if s := r.segments[i]; s.isVariable() {
			params[s.text] = r.canonical(s.text, decodeSegment(word))
		}
	}
	if name, ok := params[friendlyParam]; ok {
		params["survey"], params["instance"] = r.friendly.ids(name)
	}
	return params
}

// reads reports whether anything is read from the body.
func (r *route) reads(b body) bool {
	if r.requires(b) {
		return true
	}
	for _, path := range r.ids {
		if path.body == b {
			return true
		}
	}
	return false
}

// requires reports whether the exchange cannot be understood without the body.
// Ids do not require theirs: they may be in the path too.
func (r *route) requires(b body) bool {
	hasPage := r.kind == PageShown || r.kind == Navigated
	return r.answer.body == b || b == responseBody && hasPage
}

// read returns the exchange with its bodies as JSON that is safe for gjson, nil for
// one that is not read. An error means that a body which the route requires is
// missing, or is not JSON.
func (r *route) read(x Exchange) (Exchange, error) {
	if why := r.lacks(x.LacksRequest, x.LacksResponse); why != "" {
		return x, fmt.Errorf("%w: %s", errUninspected, why)
	}
	var err error
	if x.ResponseBody, err = r.readBody(responseBody, x.ResponseBody); err != nil {
		return x, fmt.Errorf("the app's response %w", err)
	}
	if x.RequestBody, err = r.readBody(requestBody, x.RequestBody); err != nil {
		return x, fmt.Errorf("the participant's answer %w", err)
	}
	return x, nil
}

// readBody reads one body. One that is there for ids alone may be anything.
func (r *route) readBody(b body, data []byte) ([]byte, error) {
	if !r.reads(b) {
		return nil, nil
	}
	read, err := jsonpath.ReadJSON(data)
	if err != nil && !r.requires(b) {
		return nil, nil
	}
	return read, err
}

// lacks returns why the exchange cannot be read: request and response say why that
// body was not kept, and are empty where it was. The result is empty if the route
// requires neither of the bodies that were not kept.
func (r *route) lacks(request, response string) string {
	switch {
	case request != "" && r.reads(requestBody):
		return request
	case response != "" && r.reads(responseBody):
		return response
	}
	return ""
}
