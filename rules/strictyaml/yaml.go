package strictyaml

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3" // the only file that knows it
)

const (
	// maxSource is the largest YAML file, in bytes.
	MaxSource = 1 << 20
	// maxValues bounds what aliases and merges can make of a small file.
	maxValues = 100_000
)

// The kinds of a node, as errors name them.
const (
	nullKind    = "nothing"
	scalarKind  = "a single value"
	mappingKind = "a mapping"
	listKind    = "a list"
)

// node is a value of a YAML file, with aliases (*name) and merges (<<) resolved.
type node struct {
	place
	kind string
	// text and tag ("!!int", "!!str") of a scalar.
	text, tag string
	// entries of a mapping, each key once, those that are merged in last.
	entries []entry
	items   []*node
}

// entry is a key of a mapping and its value.
type entry struct {
	place
	key   string
	value *node
}

// tree makes nodes of the YAML library's nodes.
type tree struct {
	*Document
	// made holds the node of every anchor; nil while it is being made.
	made   map[*yaml.Node]*node
	merged int
}

// parseYAML returns the root of the only document of source, nil (and a problem) when there is none.
func parseYAML(d *Document, source []byte) *node {
	if len(source) > MaxSource {
		d.Wrong("", "is too large: more than %d bytes", MaxSource)
		return nil
	}
	source = bytes.TrimPrefix(source, []byte("\xef\xbb\xbf"))
	if !d.isText(source) {
		return nil
	}
	var first, second yaml.Node
	stream := yaml.NewDecoder(bytes.NewReader(source))
	err := stream.Decode(&first)
	if err != nil && !errors.Is(err, io.EOF) {
		d.syntax(source, err)
		return nil
	}
	if len(first.Content) == 0 || isNull(first.Content[0]) {
		d.Wrong("", "is empty; config.example.yaml shows what it can say")
		return nil
	}
	switch err := stream.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(source, err)
	default:
		d.WrongAt(placeOf(&second), "", "a second document begins; a file is one document, remove the --- line")
	}
	t := tree{Document: d, made: map[*yaml.Node]*node{}}
	return t.make(first.Content[0], "")
}

func isNull(y *yaml.Node) bool {
	return y.Kind == yaml.ScalarNode && y.ShortTag() == "!!null"
}

func placeOf(y *yaml.Node) place { return place{y.Line, y.Column} }

// isText notes the first byte of source that YAML does not allow: the parser
// would tell of it without a line.
func (d *Document) isText(source []byte) bool {
	at := place{1, 1}
	for len(source) > 0 {
		r, size := utf8.DecodeRune(source)
		switch {
		case r == utf8.RuneError && size == 1:
			d.WrongAt(at, "", "is not UTF-8 text")
			return false
		case r == '\n':
			at = place{at.Line + 1, 0}
		case unicode.IsControl(r) && r != '\t' && r != '\r' && r != '\u0085', r == '\ufffe', r == '\uffff':
			d.WrongAt(at, "", "holds the control character %U", r)
			return false
		}
		at.column++
		source = source[size:]
	}
	return true
}

var (
	syntaxLine    = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)
	syntaxNoAlias = regexp.MustCompile(`^yaml: unknown anchor '(.*)' referenced$`)
)

// syntax notes an error of the YAML library, which gives a line, or none for the first one.
func (d *Document) syntax(source []byte, err error) {
	if match := syntaxNoAlias.FindStringSubmatch(err.Error()); match != nil {
		// The name may be a secret without quotes.
		d.WrongAt(placeIn(source, "*"+match[1]), "", "not YAML: an alias (*name) has no anchor (&name) before it; put a text that begins with * in quotes")
		return
	}
	text, at := strings.TrimPrefix(err.Error(), "yaml: "), place{Line: 1}
	if match := syntaxLine.FindStringSubmatch(err.Error()); match != nil {
		at.Line, _ = strconv.Atoi(match[1])
		text = match[2]
		if strings.HasPrefix(text, "did not find expected") { // by its parser, which counts from 0; its scanner counts from 1
			at.Line++
		}
	}
	switch {
	case strings.Contains(text, "cannot start any token"):
		text += "; indent with spaces, not tabs, and put a text that begins with @, ` or % in quotes"
	case strings.Contains(text, "mapping values are not allowed"):
		text += "; put a text that holds ': ' in quotes, and look at the indentation"
	case strings.Contains(text, "did not find expected"):
		text += "; look at the indentation, the brackets and the quotes from here on"
	}
	d.WrongAt(at, "", "not YAML: %s", text)
}

// placeIn returns where text stands first, line 0 when it does not.
func placeIn(source []byte, text string) place {
	before, _, found := bytes.Cut(source, []byte(text))
	if !found {
		return place{}
	}
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return place{bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(line) + 1}
}

// make makes the node of y, which stands at path.
func (t *tree) make(y *yaml.Node, path string) *node {
	if y.Kind == yaml.AliasNode {
		return t.alias(y, path)
	}
	n := &node{place: placeOf(y), kind: scalarKind, text: y.Value, tag: y.ShortTag()}
	if y.Anchor != "" {
		t.made[y] = nil
		defer func() { t.made[y] = n }()
	}
	switch {
	case y.Kind == yaml.MappingNode:
		n.kind, n.text = mappingKind, ""
		n.entries = t.entries(y, path)
	case y.Kind == yaml.SequenceNode:
		n.kind, n.text = listKind, ""
		for i, one := range y.Content {
			n.items = append(n.items, t.make(one, Item(path, i)))
		}
	case y.Style&yaml.TaggedStyle != 0:
		t.WrongAt(n.place, path, "must not have a tag (!...); put a text that begins with ! in quotes")
	case isNull(y):
		n.kind = nullKind
	}
	return n
}

// alias gives the node that y stands for, at the place of y.
func (t *tree) alias(y *yaml.Node, path string) *node {
	anchor, complete := t.made[y.Alias], t.made[y.Alias] != nil
	if !complete {
		t.WrongAt(placeOf(y), path, "an anchor (&name) must not hold its own alias (*name)")
		return &node{place: placeOf(y), kind: mappingKind}
	}
	n := *anchor
	n.place = placeOf(y)
	return &n
}

// entries makes the entries of the mapping y.
func (t *tree) entries(y *yaml.Node, path string) []entry {
	var entries []entry
	var merges []*node
	lines := map[string]int{} // of the keys so far
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, sub := y.Content[i], Under(path, y.Content[i].Value)
		first, twice := lines[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			t.WrongAt(placeOf(key), sub, "a key must be a text; put a value that begins with {, [, & or * in quotes")
		case key.ShortTag() == "!!merge":
			merges = append(merges, t.make(y.Content[i+1], path))
		case twice:
			t.WrongAt(placeOf(key), sub, "duplicate key; the first is on line %d", first)
		default:
			lines[key.Value] = key.Line
			entries = append(entries, entry{placeOf(key), key.Value, t.make(y.Content[i+1], sub)})
		}
	}
	for _, from := range merges {
		entries = t.merge(entries, lines, from, path)
	}
	return entries
}

// merge appends those entries of from, a mapping or a list of mappings, whose keys are new.
func (t *tree) merge(entries []entry, lines map[string]int, from *node, path string) []entry {
	mappings := []*node{from}
	if from.kind == listKind {
		mappings = from.items
	}
	for _, mapping := range mappings {
		t.merged += 1 + len(mapping.entries)
		if t.merged > maxValues {
			t.WrongAt(place{1, 1}, "", "merges (<<) make more than %d values of this file", maxValues)
			break
		}
		if mapping.kind != mappingKind {
			t.WrongAt(mapping.place, path, "<< takes in mappings, not %s", mapping.kind)
		}
		for _, one := range mapping.entries {
			if _, known := lines[one.key]; !known {
				lines[one.key] = one.Line
				entries = append(entries, entry{from.place, one.key, one.value})
			}
		}
	}
	return entries
}
