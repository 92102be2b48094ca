package rules

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// maxSegments is how many segments a path may have to match a route.
const maxSegments = 16

// friendlyParam is the parameter that names both the survey and its instance.
const friendlyParam = "friendly_id"

// route is a compiled route of a profile.
type route struct {
	method   string
	segments []segment
	friendly friendlyID
	says     Says
	hint     string
	when     condition
	ids      map[string]source
	answer   source
}

// segment is one segment of a route's path.
type segment struct {
	literal  string
	exact    bool // the literal matches in its very case
	param    string
	optional bool
}

// condition is the response that makes an exchange say something.
type condition struct {
	status    int
	mediaType string // empty: any
}

// Match is a request that a route of the profile matches.
type Match struct {
	route  *route
	params map[string]string
}

// Says tells what the exchange will say if the app accepts it.
func (m Match) Says() Says { return m.route.says }

// Hint is what operators may want to know when the app fails at all of these.
func (m Match) Hint() string { return m.route.hint }

// Participant is the participant of the request's path, empty when it has none.
func (m Match) Participant() string { return m.params["participant"] }

// Disturbs tells whether, of two exchanges of one participant at the same time,
// one may have moved the participant on behind the other's back. Two tabs that
// ask for the page do not: else neither would tell of a navigation that went unseen.
func (m Match) Disturbs(other Match) bool {
	return m.Says() != PageShown || other.Says() != PageShown
}

// Journey is the journey that the request's path names, which may have no participant yet.
func (m Match) Journey() Key {
	return newKey(m.params["survey"], m.params["instance"], m.params["participant"])
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
		if s.optional && i < len(words)-1 {
			return nil, fmt.Errorf("only the last segment may be missing, not {%s?}", s.param)
		}
		r.segments = append(r.segments, s)
	}
	return r, nil
}

func parseSegment(word string) (segment, error) {
	if !strings.ContainsAny(word, "{}") {
		if word == "" {
			return segment{}, fmt.Errorf("has an empty segment")
		}
		return segment{literal: word}, nil
	}
	inner, ok := strings.CutPrefix(word, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !ok || !closed || inner == "" || strings.ContainsAny(inner, "{}") {
		return segment{}, fmt.Errorf("%q must be a word, {name}, {name?} or {=word}", word)
	}
	if literal, exact := strings.CutPrefix(inner, "="); exact {
		return segment{literal: literal, exact: true}, nil
	}
	name, optional := strings.CutSuffix(inner, "?")
	return segment{param: name, optional: optional}, nil
}

// Match finds the route for a request's method and target, the bytes on the
// wire. It allocates only where it finds one.
func (p *Profile) Match(method, target []byte) (Match, bool) {
	var buffer [maxSegments][]byte
	words, ok := splitPath(target, buffer[:0])
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

// splitPath cuts the path of a target into its segments as a web server does
// before routing: without query, dot segments and a trailing slash (RFC 3986,
// section 5.2.4). It appends to words and never grows it.
func splitPath(target []byte, words [][]byte) ([][]byte, bool) {
	if len(target) == 0 || target[0] != '/' {
		return nil, false
	}
	if end := bytes.IndexAny(target, "?#"); end >= 0 {
		target = target[:end]
	}
	for rest, more := target[1:], true; more; {
		var word []byte
		word, rest, more = bytes.Cut(rest, []byte{'/'})
		switch {
		case string(word) == ".":
		case string(word) == "..":
			words = words[:max(len(words)-1, 0)]
		case len(word) == 0 && !more: // a trailing slash
		case len(words) == cap(words):
			return nil, false
		default:
			words = append(words, word)
		}
	}
	return words, true
}

func (r *route) matches(words [][]byte) bool {
	last := len(r.segments) - 1
	missing := len(words) == last && r.segments[last].optional
	if len(words) != len(r.segments) && !missing {
		return false
	}
	for i, word := range words {
		if !r.segments[i].matches(word) || r.segments[i].param == friendlyParam && !r.friendly.isName(word) {
			return false
		}
	}
	return true
}

func (s *segment) matches(word []byte) bool {
	if s.param != "" {
		return len(word) > 0
	}
	n := 0
	for i := 0; i < len(word); n++ {
		c, width := decodeByte(word[i:])
		if n >= len(s.literal) || !sameByte(c, s.literal[n], s.exact) {
			return false
		}
		i += width
	}
	return n == len(s.literal)
}

func (r *route) paramsOf(words [][]byte) map[string]string {
	params := make(map[string]string, len(words))
	for i, word := range words {
		if name := r.segments[i].param; name != "" {
			params[name] = decodeSegment(word)
		}
	}
	if name, ok := params[friendlyParam]; ok {
		params["survey"], params["instance"] = r.friendly.ids(name)
	}
	return params
}

// decodeSegment undoes percent-encoding but for %2F, which Kestrel leaves as it
// is: a slash would be another segment.
func decodeSegment(word []byte) string {
	if bytes.IndexByte(word, '%') < 0 {
		return string(word)
	}
	out := make([]byte, 0, len(word))
	for i := 0; i < len(word); {
		c, width := decodeByte(word[i:])
		if c == '/' {
			out = append(out, word[i:i+width]...)
		} else {
			out = append(out, c)
		}
		i += width
	}
	return string(out)
}

// decodeByte gives the first byte of a percent-encoded text and how much of the
// text it takes. A % that begins no escape stands for itself.
func decodeByte(text []byte) (c byte, width int) {
	if text[0] != '%' || len(text) < 3 {
		return text[0], 1
	}
	value, err := strconv.ParseUint(string(text[1:3]), 16, 8)
	if err != nil {
		return text[0], 1
	}
	return byte(value), 3
}

func sameByte(a, b byte, exact bool) bool {
	return a == b || !exact && lower(a) == lower(b)
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
