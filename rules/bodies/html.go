package bodies

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// errHTML means that HTML is nested too deeply to be read.
var errHTML = errors.New("is HTML that is nested too deeply")

// Page is what is read of HTML pages. It is immutable.
type Page struct {
	values []value
	// in selects the elements whose controls are the page's fields, nil without fields.
	in cascadia.Matcher
	// hidden selects the hidden controls that are fields, too.
	hidden       cascadia.Matcher
	only, except []string
	texts        []value
}

// value is a text of the page, by its name.
type value struct {
	name      string
	selector  cascadia.Matcher // nil for the element itself
	attribute string           // empty for the text
}

// PageFields are the selectors of a Page, as a profile has them. A selector is CSS
// or CSS@attribute; without CSS it is the element itself.
type PageFields struct {
	// Values are read from the page.
	Values map[string]string `yaml:"values"`
	// Fields are the controls of the page's forms.
	Fields ControlFields `yaml:"fields"`
}

// ControlFields select controls.
type ControlFields struct {
	// In selects the elements that have the controls of one question each.
	In string `yaml:"in"`
	// Hidden selects those hidden controls that count, too.
	Hidden string `yaml:"hidden"`
	// Only are the names of controls that count, nil for all; * stands for any text.
	Only []string `yaml:"only"`
	// Except are the names of controls that do not count; * stands for any text.
	Except []string `yaml:"except"`
	// Texts are read from the element of In, for each of its controls.
	Texts map[string]string `yaml:"texts"`
}

// CompilePage compiles selectors. wrong is called for each that is malformed, with its path.
func CompilePage(f PageFields, wrong func(path string, err error)) *Page {
	p := &Page{only: f.Fields.Only, except: f.Fields.Except}
	compile := func(path, text string) cascadia.Matcher {
		selector, err := cascadia.ParseGroup(text)
		if err != nil {
			wrong(path, fmt.Errorf("must be a CSS selector: %w", err))
		}
		return selector
	}
	list := func(path string, texts map[string]string) (values []value) {
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			css, attribute, _ := strings.Cut(texts[name], "@")
			one := value{name: name, attribute: attribute}
			if css != "" {
				one.selector = compile(path+"."+name, css)
			}
			values = append(values, one)
		}
		return values
	}
	p.values = list("values", f.Values)
	p.texts = list("fields.texts", f.Fields.Texts)
	if f.Fields.In != "" {
		p.in = compile("fields.in", f.Fields.In)
	}
	if f.Fields.Hidden != "" {
		p.hidden = compile("fields.hidden", f.Fields.Hidden)
	}
	return p
}

// Read returns an object of the values that the page has, and of its fields: a list
// of objects with name, type, options and texts.
func (p *Page) Read(body []byte) ([]byte, error) {
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return nil, errHTML
	}
	d := p.appendValues([]byte{'{'}, root)
	if p.in != nil {
		d = append(d, separator(d)...)
		d = p.appendFields(append(d, `"fields":`...), root)
	}
	return append(d, '}'), nil
}

// separator is what comes before the next member of an object.
func separator(d []byte) string {
	if last := d[len(d)-1]; last == '{' || last == ',' {
		return ""
	}
	return ","
}

// appendValues appends what is found first for each value.
func (p *Page) appendValues(d []byte, root *html.Node) []byte {
	found := make([]*html.Node, len(p.values))
	left := len(p.values)
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		for i, v := range p.values {
			if found[i] == nil && v.selector != nil && v.selector.Match(node) {
				found[i] = node
				left--
			}
		}
		if left == 0 {
			break
		}
	}
	for i, v := range p.values {
		d = v.append(d, found[i])
	}
	return d
}

// append appends the value of the element as a member; nothing without one.
func (v *value) append(d []byte, node *html.Node) []byte {
	if node == nil {
		return d
	}
	content, has := textOf(node), true
	if v.attribute != "" {
		content, has = attribute(node, v.attribute)
	}
	if !has {
		return d
	}
	d = append(d, separator(d)...)
	d = append(jsonpath.AppendString(d, v.name), ':')
	return jsonpath.AppendString(d, content)
}

// control is a field of a page: all elements with one name.
type control struct {
	name, kind string
	options    [][2]string // value and label
	in         *html.Node
}

func (p *Page) appendFields(d []byte, root *html.Node) []byte {
	d = append(d, '[')
	texts := map[*html.Node][]byte{} // by the element that has them
	for i, c := range p.controls(root) {
		if i > 0 {
			d = append(d, ',')
		}
		d = jsonpath.AppendString(append(d, `{"name":`...), c.name)
		d = jsonpath.AppendString(append(d, `,"type":`...), c.kind)
		if _, has := texts[c.in]; !has {
			texts[c.in] = p.appendTexts([]byte{','}, c.in)
		}
		d = append(d, texts[c.in]...)
		d = append(d, `"options":[`...)
		for j, option := range c.options {
			if j > 0 {
				d = append(d, ',')
			}
			d = jsonpath.AppendString(append(d, `{"value":`...), option[0])
			d = append(jsonpath.AppendString(append(d, `,"label":`...), option[1]), '}')
		}
		d = append(d, `]}`...)
	}
	return append(d, ']')
}

// appendTexts appends the texts of an element of In as members.
func (p *Page) appendTexts(d []byte, in *html.Node) []byte {
	for _, v := range p.texts {
		node := in
		if v.selector != nil && !v.selector.Match(in) {
			node = cascadia.Query(in, v.selector)
		}
		if before := len(d); node != nil {
			if d = v.append(d, node); len(d) > before {
				d = append(d, ',')
			}
		}
	}
	return d
}

// controls returns the controls within the elements of In, in the order of the page.
func (p *Page) controls(root *html.Node) (list []*control) {
	byName := map[string]*control{}
	labels := labelsOf(root)
	var visit func(node, in *html.Node)
	visit = func(node, in *html.Node) { // the parser has bounded the depth
		if node.Type == html.ElementNode && p.in.Match(node) {
			in = node
		}
		if in != nil && p.isField(node) && len(list) <= maxFields {
			name, _ := attribute(node, "name")
			c := byName[name]
			if c == nil {
				c = &control{name: name, kind: kindOf(node), in: in}
				byName[name], list = c, append(list, c)
			}
			c.addOptions(node, labels)
		}
		for child := range node.ChildNodes() {
			visit(child, in)
		}
	}
	visit(root, nil)
	return list
}

// isField reports whether a node is a control that a participant fills in.
func (p *Page) isField(node *html.Node) bool {
	if node.Type != html.ElementNode || node.DataAtom != atom.Input && node.DataAtom != atom.Select && node.DataAtom != atom.Textarea {
		return false
	}
	name, _ := attribute(node, "name")
	matches := func(pattern string) bool { return MatchesPattern(pattern, name) }
	if name == "" || p.only != nil && !slices.ContainsFunc(p.only, matches) || slices.ContainsFunc(p.except, matches) {
		return false
	}
	switch kindOf(node) {
	case "hidden":
		return p.hidden != nil && p.hidden.Match(node)
	case "submit", "button", "image", "reset", "password":
		return false
	}
	return true
}

// kindOf returns the type of an input, or else the element.
func kindOf(node *html.Node) string {
	if node.DataAtom != atom.Input {
		return node.Data
	}
	kind, has := attribute(node, "type")
	if !has {
		return "text"
	}
	return strings.ToLower(kind)
}

func (c *control) addOptions(node *html.Node, labels map[string]string) {
	switch kindOf(node) {
	case "radio", "checkbox":
		value, _ := attribute(node, "value")
		id, _ := attribute(node, "id")
		c.options = append(c.options, [2]string{value, labels[id]})
	case "select":
		for option := range node.Descendants() {
			if option.DataAtom != atom.Option {
				continue
			}
			label := textOf(option)
			value, has := attribute(option, "value")
			if !has {
				value = label
			}
			c.options = append(c.options, [2]string{value, label})
		}
	}
}

// labelsOf returns the texts of labels by the id of what they label.
func labelsOf(root *html.Node) map[string]string {
	labels := map[string]string{}
	for node := range root.Descendants() {
		if node.DataAtom == atom.Label {
			if id, has := attribute(node, "for"); has {
				labels[id] = textOf(node)
			}
		}
	}
	return labels
}

func attribute(node *html.Node, name string) (value string, has bool) {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// textOf returns the text of an element with single spaces, as it is displayed.
func textOf(node *html.Node) string {
	var b strings.Builder
	var visit func(*html.Node)
	visit = func(node *html.Node) { // the parser has bounded the depth
		switch {
		case node.Type == html.TextNode:
			b.WriteString(node.Data)
		case node.DataAtom == atom.Script || node.DataAtom == atom.Style:
			return
		}
		isBlock := node.Type == html.ElementNode && !slices.Contains(inline, node.DataAtom)
		if isBlock {
			b.WriteByte(' ')
		}
		for child := range node.ChildNodes() {
			visit(child)
		}
		if isBlock {
			b.WriteByte(' ')
		}
	}
	visit(node)
	return strings.Join(strings.Fields(b.String()), " ")
}

// inline are the elements that text flows through.
var inline = []atom.Atom{
	atom.A, atom.Abbr, atom.B, atom.Bdi, atom.Bdo, atom.Cite, atom.Code, atom.Del, atom.Em, atom.Font, atom.I, atom.Ins, atom.Kbd, atom.Label,
	atom.Mark, atom.Q, atom.S, atom.Samp, atom.Small, atom.Span, atom.Strong, atom.Sub, atom.Sup, atom.U, atom.Var,
}
