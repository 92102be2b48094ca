package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// ScalarUnmarshaler is a value that reads itself from one scalar and wants to
// know whether it was a plain whole number.
type ScalarUnmarshaler interface {
	UnmarshalScalar(text string, number bool) error
}

// defaulter is a value that has defaults: they are set before it is decoded as
// an item of a map or list.
type defaulter interface{ SetDefaults() }

// scalarOrList marks a list type whose only item may be written without brackets.
type scalarOrList interface{ ScalarOrList() }

// decoder fills a Go value from the nodes of a YAML file.
type decoder struct {
	*Document
	visited int
}

// field is a struct field and the key it is decoded from.
type field struct {
	Name  string
	Index int
}

// decodeStrict decodes the one YAML document of source over into, a pointer to
// a struct that holds the defaults. file is the name to print. It never fails
// half way: whatever is wrong (syntax, unknown or duplicate keys, wrong types, keys
// without a value) is noted in the document it returns, to which the caller adds
// what it finds wrong with the values (document.wrong) before asking for
// document.err.
//
// Structs take their keys from yaml tags; scalars with a meaning implement
// encoding.TextUnmarshaler and return an error like "must be ..., not ...".
func DecodeStrict(file string, source []byte, into any) *Document {
	d := decoder{Document: newDocument(file)}
	if root := parseYAML(d.Document, source); root != nil {
		d.Keys[""] = place{1, 1}
		d.decode(root, "", reflect.ValueOf(into).Elem())
	}
	return d.Document
}

// decode fills value from the node n at path.
func (d *decoder) decode(n *node, path string, value reflect.Value) {
	if d.visited++; d.visited > maxValues {
		d.Wrong("", "aliases make more than %d values of this file", maxValues)
		return
	}
	d.values[path] = n.place
	if n.kind == nullKind {
		d.Wrong(path, "has no value; give it one or remove the key")
		return
	}
	if value.Kind() == reflect.Pointer {
		value.Set(reflect.New(value.Type().Elem()))
		value = value.Elem()
	}
	switch {
	case IsScalarType(value):
		d.decodeScalar(n, path, value)
	case value.Kind() == reflect.Struct:
		d.decodeStruct(n, path, value)
	case value.Kind() == reflect.Map:
		d.decodeMap(n, path, value)
	case value.Kind() == reflect.Slice:
		d.decodeList(n, path, value)
	default:
		panic(fmt.Sprintf("BUG: no YAML can be decoded into %s", value.Type()))
	}
}

func (d *decoder) decodeStruct(n *node, path string, value reflect.Value) {
	if n.kind != mappingKind {
		d.Wrong(path, "must be a mapping (key: value), not %s", n.kind)
		return
	}
	fields := FieldsOf(value.Type())
	var names []string
	for _, field := range fields {
		names = append(names, field.Name)
	}
	for _, entry := range n.entries {
		sub := Under(path, entry.key)
		i := slices.Index(names, entry.key)
		if i < 0 {
			d.WrongAt(entry.place, sub, "unknown key%s", unknownHint(entry.key, names))
			continue
		}
		d.Keys[sub] = entry.place
		d.decode(entry.value, sub, value.Field(fields[i].Index))
	}
}

// unknownHint names the nearest key, or all keys where none is near.
func unknownHint(key string, names []string) string {
	if hint := DidYouMean(key, names); hint != "" {
		return hint
	}
	return "; the keys here are " + strings.Join(names, ", ")
}

func FieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			continue
		}
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == "" {
			name = strings.ToLower(t.Field(i).Name)
		}
		if name != "-" {
			fields = append(fields, field{name, i})
		}
	}
	return fields
}

func (d *decoder) decodeMap(n *node, path string, value reflect.Value) {
	if n.kind != mappingKind {
		d.Wrong(path, "must be a mapping (name: value), not %s", n.kind)
		return
	}
	made := reflect.MakeMap(value.Type())
	for _, entry := range n.entries {
		sub, one := Under(path, entry.key), newItem(value.Type().Elem())
		d.Keys[sub] = entry.place
		switch {
		case !PlainName(entry.key):
			d.WrongAt(entry.place, path, "a name must be 1 to %d letters, digits, '_', '-' or '.'", maxName)
		case entry.value.kind == nullKind && one.Kind() == reflect.String: // def, in {X-Token: abc,def}, may be half of a secret
			d.WrongAt(entry.place, path, "a name has no value; give it one or remove it")
		default:
			d.decode(entry.value, sub, one)
		}
		made.SetMapIndex(reflect.ValueOf(entry.key).Convert(value.Type().Key()), one)
	}
	value.Set(made)
}

func (d *decoder) decodeList(n *node, path string, value reflect.Value) {
	_, orScalar := value.Interface().(scalarOrList)
	if orScalar && n.kind == scalarKind {
		only := newItem(value.Type().Elem())
		d.decode(n, path, only)
		value.Set(reflect.Append(reflect.Zero(value.Type()), only))
		return
	}
	if n.kind != listKind {
		or := map[bool]string{true: "a single value or "}[orScalar]
		d.Wrong(path, "must be %sa list ([a, b]), not %s", or, n.kind)
		return
	}
	made := reflect.MakeSlice(value.Type(), 0, len(n.items))
	for i, n := range n.items {
		sub, one := Item(path, i), newItem(value.Type().Elem())
		d.Keys[sub] = n.place
		d.decode(n, sub, one)
		made = reflect.Append(made, one)
	}
	value.Set(made)
}

// newItem makes an item of a list or map, with its defaults.
func newItem(t reflect.Type) reflect.Value {
	made := reflect.New(t)
	if with, ok := made.Interface().(defaulter); ok {
		with.SetDefaults()
	}
	return made.Elem()
}

func IsScalarType(value reflect.Value) bool {
	switch value.Addr().Interface().(type) {
	case encoding.TextUnmarshaler, ScalarUnmarshaler:
		return true
	}
	return value.Kind() == reflect.String || value.Kind() == reflect.Bool ||
		value.CanInt() || value.CanUint() || value.CanFloat()
}

func (d *decoder) decodeScalar(n *node, path string, value reflect.Value) {
	if n.kind != scalarKind {
		d.Wrong(path, "must be a single value, not %s", n.kind)
		return
	}
	if err := setScalar(value, n.text, n.tag); err != nil {
		d.Wrong(path, "%s", err)
	}
}

// setScalar sets value from a scalar's text and YAML tag.
func setScalar(value reflect.Value, text, tag string) error {
	switch own := value.Addr().Interface().(type) {
	case ScalarUnmarshaler:
		return own.UnmarshalScalar(text, tag == "!!int")
	case encoding.TextUnmarshaler:
		return own.UnmarshalText([]byte(text))
	}
	switch {
	case value.Kind() == reflect.String:
		value.SetString(text)
		return nil
	case value.Kind() == reflect.Bool:
		if tag != "!!bool" || text != "true" && text != "false" {
			return fmt.Errorf("must be true or false, not %s", Quoted(text))
		}
		value.SetBool(text == "true")
		return nil
	case value.CanFloat():
		return setFloat(value, text, tag)
	default:
		return setInt(value, text, tag)
	}
}

func setFloat(value reflect.Value, text, tag string) error {
	number, err := strconv.ParseFloat(text, 64)
	finite := err == nil && number-number == 0
	if !finite || tag != "!!float" && tag != "!!int" {
		return fmt.Errorf("must be a number, not %s", Quoted(text))
	}
	value.SetFloat(number)
	return nil
}

// setInt reads decimal numbers only: YAML 1.1 would read 010 as 8.
func setInt(value reflect.Value, text, tag string) error {
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil || tag != "!!int" {
		return fmt.Errorf("must be a whole number, not %s", Quoted(text))
	}
	if value.CanInt() {
		value.SetInt(number)
		return nil
	}
	if number < 0 {
		return fmt.Errorf("must not be negative, but is %d", number)
	}
	value.SetUint(uint64(number))
	return nil
}
