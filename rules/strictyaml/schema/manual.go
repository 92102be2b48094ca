package schema

import (
	"cmp"
	"reflect"
	"regexp"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
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
	document := strictyaml.Decode(file, source, into)
	m := &Manual{descriptions: map[string]string{}, defaults: map[string]any{}}
	lines := strings.Split(string(source), "\n")
	for _, key := range document.Keys() {
		pattern := patternOf(reflect.TypeOf(into), key.Path)
		above, beside := comments(lines, key)
		if strings.HasPrefix(beside, "default") {
			m.defaults[pattern], beside = valueOn(lines[key.Line-1]), ""
		}
		m.descriptions[pattern] = cmp.Or(m.descriptions[pattern], above, beside)
	}
	return m, document.Err()
}

// Add adds what another manual says about keys that this one does not describe.
func (m *Manual) Add(other *Manual) {
	for pattern, description := range other.descriptions {
		m.descriptions[pattern] = cmp.Or(m.descriptions[pattern], description)
	}
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
			for key, i := range strictyaml.Fields(t) {
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

// comments returns the comment above a key, in its column (one further left is about
// a whole item of a list), and the one beside it.
func comments(lines []string, key strictyaml.Key) (above, beside string) {
	if match := commentBeside.FindStringSubmatch(lines[key.Line-1]); match != nil {
		beside = match[1]
	}
	alone := strings.Repeat(" ", key.Column-1) + "#"
	for i := key.Line - 2; i >= 0 && strings.HasPrefix(lines[i], alone); i-- {
		above = strings.TrimSpace(strings.TrimSpace(lines[i][len(alone):]) + " " + above)
	}
	return above, beside
}

// valueOn returns the value of the key on a line.
func valueOn(line string) any {
	mapping, _ := strictyaml.JSON("line", []byte(strings.TrimSpace(line))) // it was decoded before
	for _, value := range mapping.(map[string]any) {
		return value
	}
	return nil
}
