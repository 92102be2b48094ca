package jsonpath

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// modifiers are the gjson modifiers that cost no more than one pass over the
// JSON. @pretty and @dig do: 60 KB can keep them busy for seconds.
var modifiers = []string{"this", "keys", "values", "flatten", "join", "reverse", "tostr", "fromstr", "ugly"}

// CheckPath reports what is wrong with a gjson path. gjson itself takes every
// path, and would silently find nothing at a mistyped one.
func CheckPath(path string) error {
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

// Prefixes returns the gjson paths that lead part of the way along path, shortest
// first: of a.b.c they are a and a.b.
func Prefixes(path string) []string {
	var prefixes []string
	level := 0
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '"':
			i = skipString(path, i)
		case '(', '[', '{':
			level++
		case ')', ']', '}':
			level--
		case '.', '|':
			if level == 0 {
				prefixes = append(prefixes, path[:i])
			}
		}
	}
	return prefixes
}

func checkModifiers(path string) error {
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '\\':
			i++
		case path[i] == '"':
			i = skipString(path, i)
		case path[i] == '@' && startsPart(path, i):
			name, _, _ := strings.Cut(path[i+1:], ":")
			name = name[:len(name)-len(strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz"))]
			if name == "fromstr" && strings.ContainsAny(path[:i], "([{") {
				return errors.New("has @fromstr within brackets; it may only come before them")
			}
			if !slices.Contains(modifiers, name) {
				return fmt.Errorf("has the modifier @%s; the supported ones are @%s", name, strings.Join(modifiers, ", @"))
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
			if i = skipString(path, i); i >= len(path) {
				return errors.New(`has a " that is never closed`)
			}
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != closes[c] {
				return fmt.Errorf("has a %q that was never opened", c)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("has a %q that is never closed", open[len(open)-1])
	}
	return nil
}

// checkParts refuses an empty part, as in "a..b", ".a" and "a.": for gjson it is a key that is never there.
func checkParts(path string) error {
	empty := true
	level := 0
	for i := 0; i < len(path); i++ {
		switch c := path[i]; c {
		case '\\':
			i++
			empty = false
		case '"':
			i = skipString(path, i)
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
		return errors.New("ends with an empty part; write a.b, with \\. for a dot in a name")
	}
	return nil
}
