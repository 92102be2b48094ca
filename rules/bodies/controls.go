package bodies

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

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

// control is a field of a page: all elements with one name.
type control struct {
	name, kind string
	options    [][2]string // value and label
	in         *html.Node
}

func (r *pageReader) appendFields(d []byte, root *html.Node) []byte {
	d = append(d, '[')
	texts := map[*html.Node][]byte{} // by the element that has them
	for i, c := range r.controls(root) {
		if i > 0 {
			d = append(d, ',')
		}
		d = jsonpath.AppendString(append(d, `{"name":`...), c.name)
		d = jsonpath.AppendString(append(d, `,"type":`...), c.kind)
		if _, has := texts[c.in]; !has {
			texts[c.in] = r.appendTexts([]byte{','}, c.in)
		}
		if !r.spend(len(texts[c.in])) {
			break
		}
		d = append(d, texts[c.in]...)
		d = append(r.appendOptions(append(d, `"options":[`...), c.options), `]}`...)
	}
	return append(d, ']')
}

func (r *pageReader) appendOptions(d []byte, options [][2]string) []byte {
	for i, option := range options {
		if i > 0 {
			d = append(d, ',')
		}
		if !r.spend(len(option[0]) + len(option[1])) {
			break
		}
		d = r.appendText(append(d, `{"value":`...), option[0])
		d = append(r.appendText(append(d, `,"label":`...), option[1]), '}')
	}
	return d
}

// appendTexts appends the texts of an element of In as members.
func (r *pageReader) appendTexts(d []byte, in *html.Node) []byte {
	for _, v := range r.texts {
		before := len(d)
		if d = r.appendValue(d, v, r.find(v, in)); len(d) > before {
			d = append(d, ',')
		}
	}
	return d
}

// find returns the first element that has a value, in itself or below; nil without one.
func (r *pageReader) find(v value, in *html.Node) *html.Node {
	if v.selector == nil || v.selector.Match(in) {
		return in
	}
	for node := range in.Descendants() {
		if !r.spend(1) {
			return nil
		}
		if node.Type == html.ElementNode && v.selector.Match(node) {
			return node
		}
	}
	return nil
}

// controls returns the controls within the elements of In, in the order of the page.
func (r *pageReader) controls(root *html.Node) (list []*control) {
	byName := map[string]*control{}
	labels := r.labels(root)
	var visit func(node, in *html.Node)
	visit = func(node, in *html.Node) { // the parser has bounded the depth
		if node.Type == html.ElementNode && r.in.Match(node) {
			in = node
		}
		if in != nil && r.isField(node) && len(list) <= maxFields {
			name, _ := attribute(node, "name")
			c := byName[name]
			if c == nil {
				c = &control{name: name, kind: kindOf(node), in: in}
				byName[name], list = c, append(list, c)
			}
			r.addOptions(c, node, labels)
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
	if name == "" || !p.names.Have(name) {
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

// kindOf returns the type of an input, and of another the element: select-multiple for a
// list of which several options can be chosen, as in the DOM.
func kindOf(node *html.Node) string {
	if node.DataAtom != atom.Input {
		if _, isMultiple := attribute(node, "multiple"); isMultiple && node.DataAtom == atom.Select {
			return "select-multiple"
		}
		return node.Data
	}
	kind, has := attribute(node, "type")
	if !has {
		return "text"
	}
	return strings.ToLower(kind)
}

func (r *pageReader) addOptions(c *control, node *html.Node, labels map[string]string) {
	switch kindOf(node) {
	case "radio", "checkbox":
		value, _ := attribute(node, "value")
		id, _ := attribute(node, "id")
		c.options = append(c.options, [2]string{value, labels[id]})
	case "select", "select-multiple":
		for option := range node.Descendants() {
			if option.DataAtom != atom.Option {
				continue
			}
			label := r.textOf(option)
			value, has := attribute(option, "value")
			if !has {
				value = label
			}
			c.options = append(c.options, [2]string{value, label})
		}
	}
}

// labels returns the texts of labels by the id of what they label.
func (r *pageReader) labels(root *html.Node) map[string]string {
	labels := map[string]string{}
	for node := range root.Descendants() {
		if node.DataAtom == atom.Label {
			if id, has := attribute(node, "for"); has {
				labels[id] = r.textOf(node)
			}
		}
	}
	return labels
}
