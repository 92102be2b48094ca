package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sidehook/sidehook/rules/jsonpath"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// dataNames are the names in an event's data and, for those that are objects, the
// names in them.
var dataNames = map[string][]string{
	"survey":      {"id", "instance", "friendly_id", "study"},
	"participant": {"id", "started"},
	"from":        pageNames,
	"to":          pageNames,
	"completed":   nil,
	"outcome":     nil,
	"recovered":   nil,
	"partial":     nil,
	"page_count":  nil,
	"responses":   nil,
}

var pageNames = []string{"id", "number", "position", "name"}

// CheckWhen reports what is wrong with the `when` of a rule: it is no gjson path, or
// one that never holds, or always.
func CheckWhen(when string) error {
	for _, wrong := range []struct{ text, advice string }{
		{"&&", "one rule has one when: make a rule of its own, or chain queries, as in responses.#(page==1)#|#(type==\"text\")"},
		{"||", "write two rules"},
		{"==", "a when holds if there is a value that is not null, false or []: write completed, or compare within a query, as in responses.#(page==1).response"},
		{"=", "compare within a query, as in responses.#(page==1).response"},
		{"!", "a when cannot be negated; compare within a query, as in responses.#(state!=\"skipped\")"},
		{"$", "the path begins in the event's data: write completed, not $.completed"},
		{" ", "a path has no blanks outside of a query"},
		{"[", "an item of a list is .0, and some are .#(...), as in responses.#(page==1).response"},
	} {
		if strings.Contains(outside(when), wrong.text) {
			return fmt.Errorf("has %q outside of a query; %s", wrong.text, wrong.advice)
		}
	}
	if strings.Contains(unquoted(when), "&&") {
		return errors.New(`has "&&", which gjson does not know; chain queries, as in responses.#(page==1)#|#(type=="text")`)
	}
	if err := jsonpath.CheckPath(when); err != nil {
		return err
	}
	return checkNames(when)
}

// checkNames checks the words that a path begins with, unless it begins with a
// modifier or makes an object of its own.
func checkNames(when string) error {
	first, rest := firstName(when)
	if first == "" {
		return nil
	}
	within, ok := dataNames[first]
	if !ok {
		return fmt.Errorf("begins with %s, which no event has%s", first, nameHint(first))
	}
	second, _ := firstName(rest)
	if within != nil && second != "" && !slices.Contains(within, second) {
		return fmt.Errorf("has %s.%s, which no event has; %s has %s", first, second, first, strings.Join(within, ", "))
	}
	return nil
}

// nameHint suggests what may be meant by a first word that is unknown.
func nameHint(first string) string {
	names := slices.Sorted(maps.Keys(dataNames))
	switch first {
	case "data":
		return "; the path begins in data: write completed, not data.completed"
	case "participant_id":
		return "; write participant.id"
	}
	if hint := strictyaml.DidYouMean(strings.ToLower(first), names); hint != "" {
		return hint
	}
	return "; there are " + strings.Join(names, ", ")
}

// firstName returns the name that a path begins with, empty if it begins with
// something else, and what follows the name.
func firstName(path string) (name, rest string) {
	end := strings.IndexAny(path, `.|@#{[(\*?`)
	if end < 0 {
		return path, ""
	}
	if path[end] != '.' && path[end] != '|' {
		return "", ""
	}
	return path[:end], path[end+1:]
}

// outside returns a path without strings, and without what is in queries and objects.
func outside(path string) string {
	var text strings.Builder
	level := 0
	for i, c := range unquoted(path) {
		switch c {
		case '(', '[', '{':
			isIndex := c == '[' && i > 0 && !strings.ContainsRune(".|", rune(path[i-1]))
			if level == 0 && isIndex {
				text.WriteRune(c)
			}
			level++
		case ')', ']', '}':
			level--
		default:
			if level == 0 {
				text.WriteRune(c)
			}
		}
	}
	return text.String()
}

// unquoted returns a path with each byte of its strings, and of what is escaped,
// replaced by a letter.
func unquoted(path string) string {
	text := []byte(path)
	isQuoted := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			text[i], text[i+1] = 'x', 'x'
			i++
		case text[i] == '"':
			isQuoted = !isQuoted
			text[i] = 'x'
		case isQuoted:
			text[i] = 'x'
		}
	}
	return string(text)
}
