package rules

import (
	"fmt"
	"strings"
)

// segment is one segment of a route's path.
type segment struct {
	kind segmentKind
	// text is the literal, or the parameter's name.
	text string
}

type segmentKind int

const (
	literal       segmentKind = iota // word, in any case
	exactLiteral                     // {=word}, in exactly this case
	param                            // {name}
	optionalParam                    // {name?}, which may be missing
	anyRest                          // {...}, any number of segments
)

// String returns the segment as a profile writes it.
func (s segment) String() string {
	switch s.kind {
	case literal:
		return s.text
	case exactLiteral:
		return "{=" + s.text + "}"
	case param:
		return "{" + s.text + "}"
	case optionalParam:
		return "{" + s.text + "?}"
	case anyRest:
		return "{...}"
	}
	return fmt.Sprintf("segment(%d, %s)", int(s.kind), s.text)
}

func parseSegment(word string) (segment, error) {
	if !strings.ContainsAny(word, "{}") {
		if word == "" {
			return segment{}, fmt.Errorf("has an empty segment")
		}
		return segment{literal, word}, nil
	}
	inner, opened := strings.CutPrefix(word, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !opened || !closed || inner == "" || strings.ContainsAny(inner, "{}") {
		return segment{}, fmt.Errorf("%q must be a word, {name}, {name?}, {=word} or {...}", word)
	}
	if inner == "..." {
		return segment{anyRest, ""}, nil
	}
	if word, exact := strings.CutPrefix(inner, "="); exact {
		return segment{exactLiteral, word}, nil
	}
	if name, optional := strings.CutSuffix(inner, "?"); optional {
		return segment{optionalParam, name}, nil
	}
	return segment{param, inner}, nil
}

// isVariable reports whether the segment is a parameter.
func (s segment) isVariable() bool { return s.kind == param || s.kind == optionalParam }

// isParam reports whether the segment is the parameter of that name.
func (s segment) isParam(name string) bool { return s.isVariable() && s.text == name }

// matches reports whether the segment matches a percent-encoded word of a path.
func (s segment) matches(word []byte) bool {
	if s.isVariable() {
		return len(word) > 0
	}
	n := 0
	for i := 0; i < len(word); n++ {
		c, width := decodeByte(word[i:])
		if n >= len(s.text) || !sameByte(c, s.text[n], s.kind == exactLiteral) {
			return false
		}
		i += width
	}
	return n == len(s.text)
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
