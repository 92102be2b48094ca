package jsonpath

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// anyMember is the step of a path that takes every member of an object or list.
const anyMember = "*"

var errAnswerPath = errors.New(`must be names with dots between, such as address.street: a number for an item of a list, * for all, and \ before a dot or * in a name`)

// answerPath leads to parts of an answer. Other than a gjson path it finds every
// member that has the name, so that none slips through.
type AnswerPath []pathStep

type pathStep struct {
	name string
	any  bool
}

// span is a part of an answer by its bytes.
type Span struct {
	Start, End int
	Redacted   bool
}

// parseAnswerPath reads a.b, a.0 and a.*; an empty text is the empty path.
func ParseAnswerPath(text string) (AnswerPath, error) {
	if text == "" {
		return nil, nil
	}
	var path AnswerPath
	var name strings.Builder
	var escaped, wasEscaped bool
	end := func() error {
		isAny := name.String() == anyMember && !wasEscaped
		if name.Len() == 0 || !isAny && !wasEscaped && strings.ContainsAny(name.String(), `#|@*?()[]{}"!`) {
			return errAnswerPath
		}
		path = append(path, pathStep{name: name.String(), any: isAny})
		name.Reset()
		wasEscaped = false
		return nil
	}
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
			name.WriteRune(r)
		case r == '\\':
			escaped, wasEscaped = true, true
		case r == '.':
			if err := end(); err != nil {
				return nil, err
			}
		default:
			name.WriteRune(r)
		}
	}
	if escaped {
		return nil, errAnswerPath
	}
	return path, end()
}

// appendSpans finds what the path leads to in an answer that checkJSON has let through.
func (p AnswerPath) AppendSpans(found []Span, answer []byte, redacted bool) []Span {
	return p.walk(found, gjson.ParseBytes(answer), redacted)
}

func (p AnswerPath) walk(found []Span, value gjson.Result, redacted bool) []Span {
	if len(p) == 0 {
		return append(found, Span{value.Index, value.Index + len(value.Raw), redacted})
	}
	if value.Type != gjson.JSON {
		return found
	}
	place := -1
	value.ForEach(func(key, member gjson.Result) bool {
		place++
		name := key.Str
		if value.IsArray() {
			name = strconv.Itoa(place)
		}
		if p[0].any || p[0].name == name {
			found = p[1:].walk(found, member, redacted)
		}
		return true
	})
	return found
}

// replaceSpans gives a copy of answer with the spans replaced; of those that lie
// in one another the outer one counts.
func ReplaceSpans(answer []byte, spans []Span, with func(Span) []byte) []byte {
	slices.SortStableFunc(spans, func(a, b Span) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End)) })
	var out []byte
	at := 0
	for _, s := range spans {
		if s.Start < at {
			continue
		}
		out = append(append(out, answer[at:s.Start]...), with(s)...)
		at = s.End
	}
	return append(out, answer[at:]...)
}
