package strictyaml

import (
	"cmp"
	"fmt"
	"iter"
	"reflect"
	"strings"
)

// defaulter sets its defaults before it is decoded as an item of a list or map, or
// behind a pointer.
type defaulter interface{ SetDefaults() }

// scalarOrList marks a list type whose only item may be written without brackets.
type scalarOrList interface{ ScalarOrList() }

// decoder fills a Go value from the nodes of a YAML file.
type decoder struct {
	*Document
	visited int
}

// Decode decodes the only YAML document of source over into, a pointer to a
// struct that holds the defaults. file is the name that problems begin with. It
// does not stop at the first problem: syntax errors, unknown and duplicate keys,
// wrong types and keys without a value are all noted in the Document. The value
// is complete only where Document.Err is nil.
func Decode(file string, source []byte, into any) *Document {
	d := decoder{Document: newDocument(file)}
	if root := parseYAML(d.Document, source); root != nil {
		d.keys[""] = position{1, 1}
		d.decode(root, "", reflect.ValueOf(into).Elem())
	}
	return d.Document
}

// Fields returns the keys of a struct type as Decode takes them, in order, each
// with the index of its field.
func Fields(structType reflect.Type) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for i := range structType.NumField() {
			field := structType.Field(i)
			key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if key == "" {
				key = strings.ToLower(field.Name)
			}
			if field.IsExported() && key != "-" && !yield(key, i) {
				return
			}
		}
	}
}

// decode fills value from the node n at path.
func (d *decoder) decode(n *node, path string, value reflect.Value) {
	if d.visited++; d.visited > maxValues {
		d.Wrong("", "aliases expand this file to more than %d values", maxValues)
		return
	}
	d.values[path] = n.position
	if n.kind == nullKind {
		d.Wrong(path, "has no value; give it one or remove the key")
		return
	}
	if value.Kind() == reflect.Pointer {
		value.Set(newItem(value.Type().Elem()).Addr())
		value = value.Elem()
	}
	switch {
	case isScalar(value):
		d.decodeScalar(n, path, value)
	case n.kind == scalarKind && isShort(value):
		d.decodeShort(n, path, value)
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
	var keys []string
	fields := map[string]int{}
	for key, i := range Fields(value.Type()) {
		keys = append(keys, key)
		fields[key] = i
	}
	for _, entry := range n.entries {
		sub := KeyPath(path, entry.key)
		i, known := fields[entry.key]
		if !known {
			d.wrongAt(entry.position, sub, "unknown key%s", unknownHint(entry.key, keys))
			continue
		}
		d.keys[sub] = entry.position
		d.decode(entry.value, sub, value.Field(i))
	}
}

// unknownHint suggests the nearest key, or lists all keys where none is near.
func unknownHint(key string, known []string) string {
	if hint := cmp.Or(oldKeyHint(key, known), DidYouMean(key, known)); hint != "" {
		return hint
	}
	return "; the keys here are " + strings.Join(known, ", ")
}

func (d *decoder) decodeMap(n *node, path string, value reflect.Value) {
	if n.kind != mappingKind {
		d.Wrong(path, "must be a mapping (name: value), not %s", n.kind)
		return
	}
	made := reflect.MakeMap(value.Type())
	for _, entry := range n.entries {
		sub, one := KeyPath(path, entry.key), newItem(value.Type().Elem())
		d.keys[sub] = entry.position
		switch {
		case !IsPlainName(entry.key):
			d.wrongAt(entry.position, path, "a name must be 1 to %d letters, digits, '_', '-' or '.'", maxName)
		case entry.value.kind == nullKind && one.Kind() == reflect.String: // in {X-Token: abc,def}, def may be half of a secret
			d.wrongAt(entry.position, path, "a name has no value; give it one or remove it")
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
		sub, one := ItemPath(path, i), newItem(value.Type().Elem())
		d.keys[sub] = n.position
		d.decode(n, sub, one)
		made = reflect.Append(made, one)
	}
	value.Set(made)
}

// newItem returns an item of a list or map, or what a pointer leads to, with its defaults.
func newItem(t reflect.Type) reflect.Value {
	made := reflect.New(t)
	if with, ok := made.Interface().(defaulter); ok {
		with.SetDefaults()
	}
	return made.Elem()
}
