package rules

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/bodies"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// conditions are what must hold for a route to say anything, all of them. A profile
// writes each as SOURCE (there is a value), !SOURCE (there is none), SOURCE = TEXT or
// SOURCE != TEXT, in which * stands for any text.
type conditions []condition

// condition is one of them.
type condition struct {
	source source
	test   conditionTest
	text   string
	// written is the condition as the profile writes it.
	written string
}

type conditionTest int

const (
	isThere conditionTest = iota
	isMissing
	isText
	isNotText
)

// String returns the test's name.
func (t conditionTest) String() string { return [...]string{"exists", "is missing", "=", "!="}[t] }

// conditionList is the YAML of conditions: one or a list.
type conditionList []string

// ScalarOrList marks that a single condition needs no brackets.
func (conditionList) ScalarOrList() {}

func compileConditions(doc *strictyaml.Document, path string, texts conditionList) (list conditions) {
	for _, text := range texts {
		c := condition{written: text}
		rest, isNegated := strings.CutPrefix(text, "!")
		if isNegated {
			c.test = isMissing
		} else if left, right, ok := strings.Cut(text, " != "); ok {
			rest, c.test, c.text = left, isNotText, right
		} else if left, right, ok := strings.Cut(text, " = "); ok {
			rest, c.test, c.text = left, isText, right
		}
		s, err := parseSource(rest)
		if err != nil {
			doc.Wrong(path, "%s", err)
		}
		if isForeign(rest, c.text) {
			doc.Wrong(path, "must be SOURCE, !SOURCE, SOURCE = TEXT or SOURCE != TEXT, one condition each, not %q; several make a list, and all of them must hold", text)
		}
		c.source = s
		list = append(list, c)
	}
	return list
}

// What other languages write in conditions would never hold here, or always. A gjson
// query has conditions of its own.
var (
	foreignInSource = []string{"=", "<", ">", "&&", "||", ",", " "}
	foreignInText   = []string{" = ", " != ", " and ", " or ", " && ", " || "}
)

// isForeign reports whether a source or a text has any of what other languages write.
func isForeign(source, text string) bool {
	has := func(text string, signs []string) bool {
		return slices.ContainsFunc(signs, func(sign string) bool { return strings.Contains(text, sign) })
	}
	isQuery := strings.Contains(source, "#(") || strings.Contains(source, "{") || strings.Contains(source, "[")
	return has(source, foreignInSource) && !isQuery || has(text, foreignInText) || strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`)
}

// failing returns the first condition that does not hold, empty if all do.
func (list conditions) failing(r *reading) string {
	for _, c := range list {
		if !c.holds(r) {
			return c.written
		}
	}
	return ""
}

// readResponse reports whether one of them holds only for responses that have something.
func (list conditions) readResponse() bool {
	return slices.ContainsFunc(list, func(c condition) bool {
		return c.source.from.isResponse() && (c.test == isThere || c.test == isText)
	})
}

func (c *condition) holds(r *reading) bool {
	switch c.test {
	case isThere:
		return c.hasValue(r)
	case isMissing:
		return !c.hasValue(r)
	}
	text, ok := c.source.plain(r)
	isEqual := ok && bodies.MatchesPattern(c.text, text)
	return isEqual == (c.test == isText)
}

// hasValue reports whether there is a value that says something: not null, false, ""
// or an empty list. An element of HTML without text is there all the same.
func (c *condition) hasValue(r *reading) bool {
	if !c.source.from.isBody() {
		text, ok := c.source.plain(r)
		return ok && text != ""
	}
	value := c.source.value(r)
	switch {
	case !value.Exists(), value.Type == gjson.Null, value.Type == gjson.False:
		return false
	case value.Type == gjson.String:
		return value.Str != "" || c.source.from == responseBody && r.isHTML()
	case value.IsArray():
		return len(value.Array()) > 0
	}
	return true
}
