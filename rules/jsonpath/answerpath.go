package jsonpath

import (
	"errors"
	"strings"
)

// anyMember is the step that leads to every member of an object or list.
const anyMember = "*"

var errAnswerPath = errors.New(`must be names separated by dots, such as address.street: a number for an item of a list, * for every member, and \ before a dot or * within a name`)

// AnswerPath leads to parts of an answer. Unlike a gjson path it finds every
// member of a name, so that a duplicate cannot slip through. It is never changed.
type AnswerPath []pathStep

type pathStep struct {
	name string
	any  bool
}

// ParseAnswerPath parses names separated by dots: a.b, a.0 for an item of a list,
// a.* for every member. An empty text is the empty path, which leads to the whole answer.
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
