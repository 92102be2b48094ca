package jsonpath

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// maxDepth bounds the nesting of foreign JSON. gjson recurses, and a stack that
// overflows ends the process, so nothing deeper ever reaches it.
const maxDepth = 64

var (
	errTooDeep     = fmt.Errorf("is nested deeper than %d levels", maxDepth)
	errInvalidJSON = errors.New("is not valid JSON")
)

// modifiers are the gjson modifiers that cost no more than a pass over the
// JSON. @pretty and @dig are not: 60 KB can keep them busy for seconds.
var modifiers = []string{"this", "keys", "values", "flatten", "join", "reverse", "tostr", "ugly"}

// checkJSON tells whether foreign bytes may be handed to gjson.
func CheckJSON(data []byte) error {
	if depth(data) > maxDepth {
		return errTooDeep
	}
	if !gjson.ValidBytes(data) {
		return errInvalidJSON
	}
	return nil
}

// depth is how deep the brackets of data nest, whether it is valid or not.
func depth(data []byte) int {
	deepest, level := 0, 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = SkipString(data, i)
		case '{', '[':
			level++
			deepest = max(deepest, level)
		case '}', ']':
			level--
		}
	}
	return deepest
}

// skipString gives the index of the quote that ends the string that begins at i.
func SkipString(data []byte, i int) int {
	for i++; i < len(data) && data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i
}

// checkGJSON tells what is wrong with a gjson path. gjson itself takes every
// path, and a mistyped one would be missing for ever without a word.
func CheckGJSON(path string) error {
	if path == "" {
		return errors.New("must be a gjson path, such as page.id")
	}
	if err := checkModifiers(path); err != nil {
		return err
	}
	if err := checkBrackets(path); err != nil {
		return err
	}
	return checkParts(path)
}

func checkModifiers(path string) error {
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '\\':
			i++
		case path[i] == '"':
			i = SkipString([]byte(path), i)
		case path[i] == '@' && startsPart(path, i):
			name, _, _ := strings.Cut(path[i+1:], ":")
			name = name[:len(name)-len(strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz"))]
			if !slices.Contains(modifiers, name) {
				return fmt.Errorf("has the modifier @%s; allowed are @%s", name, strings.Join(modifiers, ", @"))
			}
		}
	}
	return nil
}

func startsPart(path string, i int) bool {
	return i == 0 || strings.IndexByte(".|([{,:", path[i-1]) >= 0
}

func checkBrackets(path string) error {
	var open []byte
	closes := map[byte]byte{')': '(', ']': '[', '}': '{'}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; c {
		case '\\':
			i++
		case '"':
			if i = SkipString([]byte(path), i); i >= len(path) {
				return errors.New(`has a " that is never closed`)
			}
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != closes[c] {
				return fmt.Errorf("has a %q that nothing opens", c)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("has a %q that is never closed", open[len(open)-1])
	}
	return nil
}

// checkParts refuses an empty part, as in "a..b", ".a" and "a.": to gjson it is a missing key.
func checkParts(path string) error {
	empty := true
	level := 0
	for i := 0; i < len(path); i++ {
		switch c := path[i]; c {
		case '\\':
			i++
			empty = false
		case '"':
			i = SkipString([]byte(path), i)
			empty = false
		case '(', '[', '{':
			level++
			empty = false
		case ')', ']', '}':
			level--
		case '.', '|':
			if level == 0 && empty {
				return errors.New("has an empty part; write a.b, with \\. for a dot in a name")
			}
			empty = empty || level == 0
		default:
			empty = false
		}
	}
	if empty {
		return errors.New("ends in the middle; write a.b, with \\. for a dot in a name")
	}
	return nil
}
