package rules

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	// draft is the newest that yaml-language-server, by which most editors read schemas, says it supports.
	draft      = "http://json-schema.org/draft-07/schema#"
	schemaBase = "https://raw.githubusercontent.com/sidehook/sidehook/main/rules/"
	// modeline is how a YAML file names its schema to editors.
	modeline = "# yaml-language-server: $schema="
)

// schema is a JSON Schema, or a part of one.
type schema map[string]any

// schemaWriter makes the schema of what the strict decoder takes: keys and types
// are those of the structs, the rest is what the tables of schema_narrow_test.go
// add and what a manual says, a YAML file that has every key with a comment.
type schemaWriter struct {
	manual *manual
	// narrowed by path, as rules[].to; an entry that was used is deleted.
	narrowed map[string]schema
}

// manual is what a YAML file says of its keys, by their paths without places and
// names: targets.*.url.
type manual struct {
	told     map[string]string
	defaults map[string]any
}

var (
	placeInPath   = regexp.MustCompile(`\[\d+\]`)
	targetInPath  = regexp.MustCompile(`^targets\.\w+`)
	commentBeside = regexp.MustCompile(` # (.*)$`)
	// toldOnce are the keys that a manual tells of in the place of others.
	toldOnce = strings.NewReplacer("app_tls.", "targets.*.tls.", "pseudonymise.answers", "redact.answers")
)

// write gives the schema of the type of value as the text of a file.
func (w *schemaWriter) write(file, title string, value any) (string, error) {
	root := w.schemaOf("", reflect.TypeOf(value))
	if len(w.narrowed) > 0 {
		return "", fmt.Errorf("%s: no such paths: %s", file, slices.Collect(maps.Keys(w.narrowed)))
	}
	root["$schema"], root["$id"], root["title"] = draft, schemaBase+file, title
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(root)
	return text.String(), err
}

func (w *schemaWriter) schemaOf(path string, t reflect.Type) schema {
	made := w.schemaOfType(path, t)
	maps.Copy(made, w.narrowed[path])
	delete(w.narrowed, path)
	return made
}

func (w *schemaWriter) schemaOfType(path string, t reflect.Type) schema {
	if known, found := scalarSchemas[t]; found {
		return maps.Clone(known)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.schemaOfType(path, t.Elem())
	case reflect.Struct:
		return w.schemaOfStruct(path, t)
	case reflect.Map:
		return schema{"type": "object", "propertyNames": schema{"pattern": namePattern}, "additionalProperties": w.schemaOf(path+".*", t.Elem())}
	case reflect.Slice:
		one := w.schemaOf(path+"[]", t.Elem())
		list := schema{"type": "array", "items": one}
		if t.Implements(reflect.TypeFor[scalarOrList]()) {
			return schema{"anyOf": []schema{one, list}}
		}
		return list
	}
	panic(fmt.Sprintf("scalarSchemas must say what may be written for %s, at %s", t, path))
}

func (w *schemaWriter) schemaOfStruct(path string, t reflect.Type) schema {
	keys := schema{}
	for _, field := range fieldsOf(t) {
		sub := strings.TrimPrefix(path+"."+field.name, ".")
		key := w.schemaOf(sub, t.Field(field.index).Type)
		if key["description"] = w.manual.tells(sub); key["description"] == "" {
			panic("the manual has no comment for " + sub)
		}
		if byDefault, found := w.manual.defaults[sub]; found {
			key["default"] = byDefault
		}
		keys[field.name] = key
	}
	return schema{"type": "object", "properties": keys, "additionalProperties": false}
}

// readManual reads a manual, which decodes into a value of a configuration's or profile's type.
func readManual(file, source string, into any) (*manual, error) {
	document := decodeStrict(file, []byte(source), into)
	m, lines := &manual{map[string]string{}, map[string]any{}}, strings.Split(source, "\n")
	inOrder := slices.SortedFunc(maps.Keys(document.keys), func(a, b string) int {
		return cmp.Compare(document.keys[a].line, document.keys[b].line)
	})
	for _, key := range inOrder {
		at := document.keys[key]
		path := targetInPath.ReplaceAllString(placeInPath.ReplaceAllString(key, "[]"), "targets.*")
		above, beside := comments(lines, at)
		if strings.HasPrefix(beside, "default") {
			m.defaults[path], beside = valueOn(lines[at.line-1]), ""
		}
		m.told[path] = cmp.Or(m.told[path], above, beside)
	}
	return m, document.err()
}

// comments gives the comment above the key at a place, in the same column (one
// further left is about a whole item of a list), and the one beside it.
func comments(lines []string, at place) (above, beside string) {
	if match := commentBeside.FindStringSubmatch(lines[at.line-1]); match != nil {
		beside = match[1]
	}
	alone := strings.Repeat(" ", at.column-1) + "#"
	for i := at.line - 2; i >= 0 && strings.HasPrefix(lines[i], alone); i-- {
		above = strings.TrimSpace(strings.TrimSpace(lines[i][len(alone):]) + " " + above)
	}
	return above, beside
}

// tells is the comment of a key, or of the nearest key around it that has one.
func (m *manual) tells(path string) string {
	path = toldOnce.Replace(path)
	for path != "" && m.told[path] == "" {
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return m.told[path]
}

// valueOn is the value of the key on a line.
func valueOn(line string) any {
	root := parseYAML(newDocument("line"), []byte(strings.TrimSpace(line)))
	return jsonOf(root.entries[0].value, map[*node]any{})
}

// jsonOf gives what an editor sees in a node, as encoding/json would. Nodes that
// many aliases share are made once.
func jsonOf(n *node, made map[*node]any) any {
	if value, found := made[n]; found {
		return value
	}
	var value any
	switch n.kind {
	case mappingKind:
		object := map[string]any{}
		for _, entry := range n.entries {
			object[entry.key] = jsonOf(entry.value, made)
		}
		value = object
	case listKind:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = jsonOf(item, made)
		}
		value = list
	case scalarKind:
		value = jsonOfScalar(n)
	}
	made[n] = value
	return value
}

func jsonOfScalar(n *node) any {
	number, err := strconv.ParseFloat(n.text, 64)
	finite := err == nil && number-number == 0
	switch {
	case n.tag == "!!bool":
		return n.text == "true"
	case finite && (n.tag == "!!int" || n.tag == "!!float"):
		return number
	}
	return n.text
}
