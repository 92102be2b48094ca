package strictyaml

import (
	"cmp"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Manual is what a YAML file that has every key says about them: a comment above
// or beside a key describes it, and "# default" beside a value marks the value as
// the key's default.
type Manual struct {
	// By path pattern, such as targets.*.url.
	descriptions map[string]string
	defaults     map[string]any
}

var (
	pathStep      = regexp.MustCompile(`\[\d+\]|[^.\[]+`)
	commentBeside = regexp.MustCompile(` # (.*)$`)
)

// ReadManual reads a manual, which must decode into a struct like into.
func ReadManual(file string, source []byte, into any) (*Manual, error) {
	document := Decode(file, source, into)
	m := &Manual{descriptions: map[string]string{}, defaults: map[string]any{}}
	lines := strings.Split(string(source), "\n")
	inOrder := slices.SortedFunc(maps.Keys(document.keys), func(a, b string) int {
		return cmp.Compare(document.keys[a].line, document.keys[b].line)
	})
	for _, path := range inOrder {
		at, pattern := document.keys[path], patternOf(reflect.TypeOf(into), path)
		above, beside := comments(lines, at)
		if strings.HasPrefix(beside, "default") {
			m.defaults[pattern], beside = valueOn(lines[at.line-1]), ""
		}
		m.descriptions[pattern] = cmp.Or(m.descriptions[pattern], above, beside)
	}
	return m, document.Err()
}

// patternOf replaces the indexes and names in the path of a value in a t:
// targets.crm.secret[0] is targets.*.secret[].
func patternOf(t reflect.Type, path string) string {
	var pattern string
	for _, step := range pathStep.FindAllString(path, -1) {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch t.Kind() {
		case reflect.Struct:
			pattern += "." + step
			for key, i := range Fields(t) {
				if key == step {
					t = t.Field(i).Type
					break
				}
			}
		case reflect.Map:
			pattern, t = pattern+".*", t.Elem()
		default:
			pattern, t = pattern+"[]", t.Elem()
		}
	}
	return strings.TrimPrefix(pattern, ".")
}

// comments returns the comment above the key at a position, in its column (one
// further left is about a whole item of a list), and the one beside it.
func comments(lines []string, at position) (above, beside string) {
	if match := commentBeside.FindStringSubmatch(lines[at.line-1]); match != nil {
		beside = match[1]
	}
	alone := strings.Repeat(" ", at.column-1) + "#"
	for i := at.line - 2; i >= 0 && strings.HasPrefix(lines[i], alone); i-- {
		above = strings.TrimSpace(strings.TrimSpace(lines[i][len(alone):]) + " " + above)
	}
	return above, beside
}

// valueOn returns the value of the key on a line.
func valueOn(line string) any {
	root := parseYAML(newDocument("line"), []byte(strings.TrimSpace(line)))
	return jsonOf(root.entries[0].value, map[*node]any{})
}
