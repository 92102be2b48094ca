package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// draft is the newest that yaml-language-server, which most editors use, supports.
const draft = "http://json-schema.org/draft-07/schema#"

// plainName is strictyaml.IsPlainName as a pattern.
const plainName = `^[A-Za-z0-9_.-]{1,64}$`

// scalarOrList marks a list type whose only item may be written without brackets, as
// strictyaml does.
type scalarOrList interface{ ScalarOrList() }

// Schema is a JSON Schema (draft-07), or a part of one.
type Schema map[string]any

// builtinSchemas describe the scalars that need no method. Text may be anything
// that is neither a list nor a mapping.
var builtinSchemas = map[reflect.Type]Schema{
	reflect.TypeFor[string]():  {"type": []string{"string", "number", "boolean"}},
	reflect.TypeFor[bool]():    {"type": "boolean"},
	reflect.TypeFor[int]():     {"type": "integer"},
	reflect.TypeFor[uint32]():  {"type": "integer"},
	reflect.TypeFor[float64](): {"type": "number"},
}

// Writer writes the JSON Schema of what strictyaml.Decode takes for a struct. Values
// are named by path patterns, in which [] is any item and * any name, such as
// targets.*.secret[].
type Writer struct {
	// Manual has the description and default of each key.
	Manual *Manual
	// SameAs turns the pattern of a key without a description of its own into
	// that of the key which explains it; it may be nil.
	SameAs *strings.Replacer
	// Scalars has the schema of each type that reads itself from a scalar, and of the
	// text that may stand for a struct.
	Scalars map[reflect.Type]Schema
	// Narrowed is added to the schema at a pattern, for what its type does not say.
	Narrowed map[string]Schema

	narrowed map[string]bool
	missing  []error
}

// Write returns the schema of the type of value as the content of a file. It
// fails when a type has no schema, a key no description, or a pattern of Narrowed
// no value.
func (w *Writer) Write(id, title string, value any) ([]byte, error) {
	w.narrowed, w.missing = map[string]bool{}, nil
	root := w.schemaOf("", reflect.TypeOf(value))
	for pattern := range w.Narrowed {
		if !w.narrowed[pattern] {
			w.missing = append(w.missing, fmt.Errorf("no value matches %q", pattern))
		}
	}
	if err := errors.Join(w.missing...); err != nil {
		return nil, err
	}
	root["$schema"], root["$id"], root["title"] = draft, id, title
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(root)
	return text.Bytes(), err
}

func (w *Writer) schemaOf(pattern string, t reflect.Type) Schema {
	schema := w.schemaOfType(pattern, t)
	maps.Copy(schema, w.Narrowed[pattern])
	w.narrowed[pattern] = true
	return schema
}

func (w *Writer) schemaOfType(pattern string, t reflect.Type) Schema {
	if schema, found := w.Scalars[t]; found && reflect.PointerTo(t).Implements(reflect.TypeFor[strictyaml.ShortUnmarshaler]()) {
		return Schema{"anyOf": []Schema{schema, w.schemaOfStruct(pattern, t)}}
	}
	if schema, found := w.Scalars[t]; found {
		return maps.Clone(schema)
	}
	if schema, found := builtinSchemas[t]; found {
		return maps.Clone(schema)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.schemaOfType(pattern, t.Elem())
	case reflect.Struct:
		return w.schemaOfStruct(pattern, t)
	case reflect.Map:
		values := w.schemaOf(pattern+".*", t.Elem())
		return Schema{"type": "object", "propertyNames": Schema{"pattern": plainName}, "additionalProperties": values}
	case reflect.Slice:
		item := w.schemaOf(pattern+"[]", t.Elem())
		list := Schema{"type": "array", "items": item}
		if t.Implements(reflect.TypeFor[scalarOrList]()) {
			return Schema{"anyOf": []Schema{item, list}}
		}
		return list
	}
	w.missing = append(w.missing, fmt.Errorf("%s at %q has no schema", t, pattern))
	return Schema{}
}

func (w *Writer) schemaOfStruct(pattern string, t reflect.Type) Schema {
	properties := Schema{}
	for key, i := range strictyaml.Fields(t) {
		sub := strings.TrimPrefix(pattern+"."+key, ".")
		property := w.schemaOf(sub, t.Field(i).Type)
		property["description"] = w.description(sub)
		if value, found := w.Manual.defaults[sub]; found {
			property["default"] = value
		}
		properties[key] = property
	}
	return Schema{"type": "object", "properties": properties, "additionalProperties": false}
}

// description returns the description of the key at pattern, or of the nearest
// key above it that has one.
func (w *Writer) description(pattern string) string {
	nearest := pattern
	if w.SameAs != nil {
		nearest = w.SameAs.Replace(pattern)
	}
	for nearest != "" && w.Manual.descriptions[nearest] == "" {
		nearest = nearest[:max(strings.LastIndexAny(nearest, ".["), 0)]
	}
	if nearest == "" {
		w.missing = append(w.missing, fmt.Errorf("the manual does not describe %q", pattern))
	}
	return w.Manual.descriptions[nearest]
}
