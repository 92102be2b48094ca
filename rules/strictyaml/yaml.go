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
	// MaxSource is the largest source that Decode takes, in bytes.
	MaxSource = 1 << 20
	// maxValues bounds what aliases and merges can expand a small file to.
	maxValues = 100_000
)

// kind is the kind of a node, as problems name it.
type kind string

const (
	nullKind    kind = "nothing"
	scalarKind  kind = "a single value"
	mappingKind kind = "a mapping"
	listKind    kind = "a list"
)

// node is a value of a YAML file. Aliases (*name) and merges (<<) are resolved.
type node struct {
	position
	kind kind
	// text and tag ("!!int", "!!str") of a scalar.
	text, tag string
	// entries of a mapping, each key once; merged entries come last.
	entries []entry
	items   []*node
}

// entry is a key of a mapping with its value.
type entry struct {
	position
	key   string
	value *node
}

// tree converts the nodes of the YAML library.
type tree struct {
	*Document
	// nodes has the node of every anchor; nil while it is being converted.
	nodes  map[*yaml.Node]*node
	merged int
}

// parseYAML returns the root of the only document of source, or notes a problem and returns nil.
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
		d.Wrong("", "is empty; it must be a mapping (key: value)")
		return nil
	}
	switch err := stream.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(source, err)
	default:
		d.wrongAt(positionOf(&second), "", "a second document begins here, but a file must be one document; remove the --- line")
	}
	t := tree{Document: d, nodes: map[*yaml.Node]*node{}}
	return t.convert(first.Content[0], "")
}

func isNull(y *yaml.Node) bool {
	return y.Kind == yaml.ScalarNode && y.ShortTag() == "!!null"
}

func positionOf(y *yaml.Node) position { return position{y.Line, y.Column} }

// isText reports whether YAML allows every character of source, and notes the
// first that it does not allow: the parser's error has no line.
func (d *Document) isText(source []byte) bool {
	at := position{1, 1}
	for len(source) > 0 {
		r, size := utf8.DecodeRune(source)
		switch {
		case r == utf8.RuneError && size == 1:
			d.wrongAt(at, "", "is not UTF-8 text")
			return false
		case r == '\n':
			at = position{at.line + 1, 0}
		case unicode.IsControl(r) && r != '\t' && r != '\r' && r != '\u0085', r == '\ufffe', r == '\uffff':
			d.wrongAt(at, "", "contains the control character %U", r)
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

// syntax notes an error of the YAML library, which has a line unless it is the first.
func (d *Document) syntax(source []byte, err error) {
	if match := syntaxNoAlias.FindStringSubmatch(err.Error()); match != nil {
		// The name may be an unquoted secret.
		d.wrongAt(positionIn(source, "*"+match[1]), "", "not YAML: no anchor (&name) precedes this alias (*name); quote text that begins with *")
		return
	}
	text, at := strings.TrimPrefix(err.Error(), "yaml: "), position{line: 1}
	if match := syntaxLine.FindStringSubmatch(err.Error()); match != nil {
		at.line, _ = strconv.Atoi(match[1])
		text = match[2]
		if strings.HasPrefix(text, "did not find expected") { // from its parser, which counts from 0; its scanner counts from 1
			at.line++
		}
	}
	switch {
	case strings.Contains(text, "cannot start any token"):
		text += "; indent with spaces, not tabs, and quote text that begins with @, ` or %"
	case strings.Contains(text, "mapping values are not allowed"):
		text += "; quote text that contains ': ', and check the indentation"
	case strings.Contains(text, "did not find expected"):
		text += "; check the indentation, brackets and quotes from here on"
	}
	d.wrongAt(at, "", "not YAML: %s", text)
}

// positionIn returns the position of the first text in source, line 0 when there is none.
func positionIn(source []byte, text string) position {
	before, _, found := bytes.Cut(source, []byte(text))
	if !found {
		return position{}
	}
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return position{bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(line) + 1}
}

// convert converts y, the value at path.
func (t *tree) convert(y *yaml.Node, path string) *node {
	if y.Kind == yaml.AliasNode {
		return t.alias(y, path)
	}
	n := &node{position: positionOf(y), kind: scalarKind, text: y.Value, tag: y.ShortTag()}
	if y.Anchor != "" {
		t.nodes[y] = nil
		defer func() { t.nodes[y] = n }()
	}
	switch {
	case y.Kind == yaml.MappingNode:
		n.kind, n.text = mappingKind, ""
		n.entries = t.entries(y, path)
	case y.Kind == yaml.SequenceNode:
		n.kind, n.text = listKind, ""
		for i, one := range y.Content {
			n.items = append(n.items, t.convert(one, ItemPath(path, i)))
		}
	case y.Style&yaml.TaggedStyle != 0:
		t.wrongAt(n.position, path, "must not have a tag (!...); quote text that begins with !")
	case isNull(y):
		n.kind = nullKind
	}
	return n
}

// alias returns the node that y refers to, at the position of y.
func (t *tree) alias(y *yaml.Node, path string) *node {
	anchor, complete := t.nodes[y.Alias], t.nodes[y.Alias] != nil
	if !complete {
		t.wrongAt(positionOf(y), path, "an anchor (&name) must not contain its own alias (*name)")
		return &node{position: positionOf(y), kind: mappingKind}
	}
	n := *anchor
	n.position = positionOf(y)
	return &n
}

// entries converts the entries of the mapping y.
func (t *tree) entries(y *yaml.Node, path string) []entry {
	var entries []entry
	var merges []*node
	lines := map[string]int{} // by key
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, sub := y.Content[i], KeyPath(path, y.Content[i].Value)
		first, twice := lines[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			t.wrongAt(positionOf(key), sub, "a key must be text; quote a value that begins with {, [, & or *")
		case key.ShortTag() == "!!merge":
			merges = append(merges, t.convert(y.Content[i+1], path))
		case twice:
			t.wrongAt(positionOf(key), sub, "duplicate key; the first is on line %d", first)
		default:
			lines[key.Value] = key.Line
			entries = append(entries, entry{positionOf(key), key.Value, t.convert(y.Content[i+1], sub)})
		}
	}
	for _, from := range merges {
		entries = t.merge(entries, lines, from, path)
	}
	return entries
}

// merge appends the entries of from, a mapping or a list of mappings, whose keys are new.
func (t *tree) merge(entries []entry, lines map[string]int, from *node, path string) []entry {
	mappings := []*node{from}
	if from.kind == listKind {
		mappings = from.items
	}
	for _, mapping := range mappings {
		t.merged += 1 + len(mapping.entries)
		if t.merged > maxValues {
			t.wrongAt(position{1, 1}, "", "merges (<<) expand this file to more than %d values", maxValues)
			break
		}
		if mapping.kind != mappingKind {
			t.wrongAt(mapping.position, path, "<< merges mappings, not %s", mapping.kind)
		}
		for _, one := range mapping.entries {
			if _, known := lines[one.key]; !known {
				lines[one.key] = one.line
				entries = append(entries, entry{from.position, one.key, one.value})
			}
		}
	}
	return entries
}
