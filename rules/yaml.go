package rules

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3" // the only file that knows it
)

const (
	// maxSource is the largest YAML file, in bytes.
	maxSource = 1 << 20
	// maxValues bounds what aliases can make of a small file.
	maxValues = 100_000
	// maxMerges bounds how deep merges (<<) may refer to each other.
	maxMerges = 8
)

// scalarUnmarshaler is a value that reads itself from one scalar and wants to
// know whether it was a plain whole number.
type scalarUnmarshaler interface {
	unmarshalScalar(text string, number bool) error
}

// defaulter is a value that has defaults: they are set before it is decoded as
// an item of a map or list.
type defaulter interface{ setDefaults() }

// scalarOrList marks a list type whose only item may be written without brackets.
type scalarOrList interface{ scalarOrList() }

// decoder fills a Go value from a YAML tree.
type decoder struct {
	*document
	visited int
}

// entry is a key of a mapping and its value.
type entry struct{ key, value *yaml.Node }

// decodeStrict decodes the one YAML document of source over into, a pointer to
// a struct that holds the defaults. file is the name to print. It never fails
// half way: whatever is wrong (syntax, unknown or duplicate keys, wrong types, keys
// without a value) is noted in the document it returns, to which the caller adds
// what it finds wrong with the values (document.wrong) before asking for
// document.err.
//
// Structs take their keys from yaml tags; scalars with a meaning implement
// encoding.TextUnmarshaler and return an error like "must be ..., not ...".
func decodeStrict(file string, source []byte, into any) *document {
	d := decoder{document: &document{file: file, keys: map[string]place{}, values: map[string]place{}}}
	if root := d.parse(source); root != nil {
		d.keys[""] = place{1, 1}
		d.decode(root, "", reflect.ValueOf(into).Elem())
	}
	return d.document
}

// parse returns the root of the only document, nil (and a problem) when there is none.
func (d *decoder) parse(source []byte) *yaml.Node {
	if len(source) > maxSource {
		d.wrong("", "has %d bytes; at most %d are read", len(source), maxSource)
		return nil
	}
	var first, second yaml.Node
	source = bytes.TrimPrefix(source, []byte("\xef\xbb\xbf"))
	stream := yaml.NewDecoder(bytes.NewReader(source))
	err := stream.Decode(&first)
	if errors.Is(err, io.EOF) || err == nil && isEmpty(&first) {
		d.wrong("", "is empty; config.example.yaml shows what it can say")
		return nil
	}
	if err != nil {
		d.syntax(err)
		return nil
	}
	switch err := stream.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(err)
	default:
		d.wrongAt(placeOf(&second), "", "a second document begins; a file is one document, remove the --- line")
	}
	return first.Content[0]
}

func isEmpty(doc *yaml.Node) bool {
	return len(doc.Content) == 0 || isNull(doc.Content[0])
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

func placeOf(node *yaml.Node) place { return place{node.Line, node.Column} }

var syntaxLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

// syntax notes an error of the YAML parser, which gives a line, or none for the first one.
func (d *decoder) syntax(err error) {
	text, at := strings.TrimPrefix(err.Error(), "yaml: "), place{line: 1}
	if match := syntaxLine.FindStringSubmatch(err.Error()); match != nil {
		at.line, _ = strconv.Atoi(match[1])
		text = match[2]
	}
	switch {
	case strings.Contains(text, "unknown anchor"): // the name may be an unquoted secret
		text = "an alias (*name) has no anchor (&name); put a text that begins with * in quotes"
	case strings.Contains(text, "cannot start any token"):
		text += "; indent with spaces, not tabs, and put a text that begins with @, ` or % in quotes"
	}
	d.wrongAt(at, "", "not YAML: %s", text)
}

// decode fills value from node.
func (d *decoder) decode(node *yaml.Node, path string, value reflect.Value) {
	d.values[path] = placeOf(node)
	if d.visited++; d.visited > maxValues {
		d.tooMany(node)
		return
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if isNull(node) {
		d.wrong(path, "has no value; give it one or remove the key")
		return
	}
	if value.Kind() == reflect.Pointer {
		value.Set(reflect.New(value.Type().Elem()))
		value = value.Elem()
	}
	if isScalarType(value) {
		d.decodeScalar(node, path, value)
		return
	}
	switch value.Kind() {
	case reflect.Struct:
		d.decodeStruct(node, path, value)
	case reflect.Map:
		d.decodeMap(node, path, value)
	case reflect.Slice:
		d.decodeList(node, path, value)
	default:
		panic(fmt.Sprintf("BUG: no YAML can be decoded into %s", value.Type()))
	}
}

func (d *decoder) tooMany(node *yaml.Node) {
	if d.visited == maxValues+1 {
		d.wrongAt(placeOf(node), "", "aliases make more than %d values of this file", maxValues)
	}
}

func (d *decoder) decodeStruct(node *yaml.Node, path string, value reflect.Value) {
	fields := fieldsOf(value.Type())
	names := make([]string, 0, len(fields))
	for _, field := range fields {
		names = append(names, field.name)
	}
	for _, entry := range d.entries(node, path, "a mapping (key: value)") {
		sub := under(path, entry.key.Value)
		i := slices.Index(names, entry.key.Value)
		if i < 0 {
			d.wrongAt(placeOf(entry.key), sub, "unknown key%s", unknownHint(entry.key.Value, names))
			continue
		}
		d.decode(entry.value, sub, value.Field(fields[i].index))
	}
}

// unknownHint names the nearest key, or all keys where none is near.
func unknownHint(key string, names []string) string {
	if hint := didYouMean(key, names); hint != "" {
		return hint
	}
	return "; the keys here are " + strings.Join(names, ", ")
}

// field is a struct field and the key it is decoded from.
type field struct {
	name  string
	index int
}

func fieldsOf(t reflect.Type) []field {
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

func (d *decoder) decodeMap(node *yaml.Node, path string, value reflect.Value) {
	made := reflect.MakeMap(value.Type())
	for _, entry := range d.entries(node, path, "a mapping (name: value)") {
		one := newItem(value.Type().Elem())
		d.decode(entry.value, under(path, entry.key.Value), one)
		made.SetMapIndex(reflect.ValueOf(entry.key.Value).Convert(value.Type().Key()), one)
	}
	value.Set(made)
}

func (d *decoder) decodeList(node *yaml.Node, path string, value reflect.Value) {
	nodes := node.Content
	if node.Kind != yaml.SequenceNode {
		if _, ok := value.Interface().(scalarOrList); !ok || node.Kind != yaml.ScalarNode {
			d.wrong(path, "must be a list ([a, b]), not %s", kindOf(node))
			return
		}
		nodes = []*yaml.Node{node}
	}
	made := reflect.MakeSlice(value.Type(), 0, len(nodes))
	for i, node := range nodes {
		one := newItem(value.Type().Elem())
		sub := item(path, i)
		d.keys[sub] = placeOf(node)
		d.decode(node, sub, one)
		made = reflect.Append(made, one)
	}
	value.Set(made)
}

// newItem makes an item of a list or map, with its defaults.
func newItem(t reflect.Type) reflect.Value {
	made := reflect.New(t)
	if with, ok := made.Interface().(defaulter); ok {
		with.setDefaults()
	}
	return made.Elem()
}

// entries returns the keys and values of a mapping, each key once, those of
// merged mappings (<<) last and only where the mapping itself has none.
func (d *decoder) entries(node *yaml.Node, path, want string) []entry {
	if node.Kind != yaml.MappingNode {
		d.wrong(path, "must be %s, not %s", want, kindOf(node))
		return nil
	}
	seen := map[string]int{}
	var own, merges []entry
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := entry{node.Content[i], node.Content[i+1]}
		sub := under(path, key.key.Value)
		switch line, twice := seen[key.key.Value]; {
		case key.key.Kind != yaml.ScalarNode:
			d.wrongAt(placeOf(key.key), sub, "a key must be a text; put a value that begins with { or [ in quotes")
		case twice:
			d.wrongAt(placeOf(key.key), sub, "duplicate key; the first is on line %d", line)
		case key.key.ShortTag() == "!!merge":
			merges = append(merges, key)
		default:
			seen[key.key.Value] = key.key.Line
			d.keys[sub] = placeOf(key.key)
			own = append(own, key)
		}
	}
	for _, merge := range merges {
		own = d.merge(own, merge.value, path, 0)
	}
	return own
}

// merge appends those entries of the mapping (or list of mappings) node whose keys are new.
func (d *decoder) merge(own []entry, node *yaml.Node, path string, depth int) []entry {
	if d.visited++; d.visited > maxValues || depth > maxMerges {
		d.wrongAt(placeOf(node), path, "merges (<<) refer to each other too often")
		return own
	}
	at := placeOf(node)
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind == yaml.SequenceNode {
		for _, one := range node.Content {
			own = d.merge(own, one, path, depth+1)
		}
		return own
	}
	if node.Kind != yaml.MappingNode {
		d.wrongAt(at, path, "<< merges mappings, not %s", kindOf(node))
		return own
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		known := slices.ContainsFunc(own, func(e entry) bool { return e.key.Value == key.Value })
		switch {
		case key.ShortTag() == "!!merge":
			own = d.merge(own, node.Content[i+1], path, depth+1)
		case key.Kind == yaml.ScalarNode && !known:
			d.keys[under(path, key.Value)] = at
			own = append(own, entry{key, node.Content[i+1]})
		}
	}
	return own
}

func isScalarType(value reflect.Value) bool {
	switch value.Addr().Interface().(type) {
	case encoding.TextUnmarshaler, scalarUnmarshaler:
		return true
	}
	switch value.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Interface, reflect.Func, reflect.Chan, reflect.Array:
		return false
	}
	return true
}

func (d *decoder) decodeScalar(node *yaml.Node, path string, value reflect.Value) {
	if node.Kind != yaml.ScalarNode {
		d.wrong(path, "must be a single value, not %s", kindOf(node))
		return
	}
	if node.Style&yaml.TaggedStyle != 0 {
		d.wrong(path, "must not have a tag (!...); put a text that begins with ! in quotes")
		return
	}
	if err := setScalar(value, node.Value, node.ShortTag()); err != nil {
		d.wrong(path, "%s", err)
	}
}

// setScalar sets value from a scalar's text and YAML tag.
func setScalar(value reflect.Value, text, tag string) error {
	switch own := value.Addr().Interface().(type) {
	case scalarUnmarshaler:
		return own.unmarshalScalar(text, tag == "!!int")
	case encoding.TextUnmarshaler:
		return own.UnmarshalText([]byte(text))
	}
	switch value.Kind() {
	case reflect.String:
		value.SetString(text)
		return nil
	case reflect.Bool:
		if text != "true" && text != "false" || tag != "!!bool" {
			return fmt.Errorf("must be true or false, not %s", quoted(text))
		}
		value.SetBool(text == "true")
		return nil
	case reflect.Float32, reflect.Float64:
		return setFloat(value, text, tag)
	default:
		return setInt(value, text, tag)
	}
}

func setFloat(value reflect.Value, text, tag string) error {
	number, err := strconv.ParseFloat(text, 64)
	finite := err == nil && number-number == 0
	if !finite || tag != "!!float" && tag != "!!int" {
		return fmt.Errorf("must be a number, not %s", quoted(text))
	}
	value.SetFloat(number)
	return nil
}

// setInt reads decimal numbers only: YAML 1.1 would read 010 as 8.
func setInt(value reflect.Value, text, tag string) error {
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil || tag != "!!int" {
		return fmt.Errorf("must be a whole number, not %s", quoted(text))
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

// kindOf names what a node is, without showing any of it.
func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return kindOf(node.Alias)
	default:
		return "a single value"
	}
}
