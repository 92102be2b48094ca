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

// A page is read for so many bytes of texts and so many elements for each of its bytes,
// and so many at least.
const (
	readingPerByte = 8
	leastReading   = 64 << 10
)

var (
	// errHTML means that HTML is nested too deeply to be read.
	errHTML = errors.New("is HTML that is nested too deeply")
	// errRepeats means that what a page has would be far larger than the page.
	errRepeats = errors.New("is HTML whose texts belong to too many elements")
)

// Page is what is read of HTML pages. It is immutable.
type Page struct {
	values []value
	// in selects the elements whose controls are the page's fields, nil without fields.
	in cascadia.Matcher
	// hidden selects the hidden controls that are fields, too.
	hidden cascadia.Matcher
	names  Names
	texts  []value
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

// CompilePage compiles selectors. wrong is called for each that is malformed, with its path.
func CompilePage(f PageFields, wrong func(path string, err error)) *Page {
	p := &Page{names: Names{f.Fields.Only, f.Fields.Except}}
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

// pageReader is one Read.
type pageReader struct {
	*Page
	// left is how many bytes of texts and how many elements may still be read: a page may
	// have one text in a thousand elements around it, or around a thousand controls.
	left int
}

// Read returns an object of the values that the page has, and of its fields: a list
// of objects with name, type, options and texts.
func (p *Page) Read(contentType string, body []byte) ([]byte, error) {
	body, err := decodeHTML(contentType, body)
	if err != nil {
		return nil, err
	}
	if err := checkSize(body); err != nil {
		return nil, err
	}
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return nil, errHTML
	}
	r := &pageReader{Page: p, left: leastReading + readingPerByte*len(body)}
	d := r.appendValues([]byte{'{'}, root)
	if p.in != nil {
		d = append(d, separator(d)...)
		d = r.appendFields(append(d, `"fields":`...), root)
	}
	if r.left < 0 {
		return nil, errRepeats
	}
	return append(d, '}'), nil
}

// spend takes n of what may still be read, and reports whether there was enough.
func (r *pageReader) spend(n int) bool {
	r.left -= n
	return r.left >= 0
}

// separator is what comes before the next member of an object.
func separator(d []byte) string {
	if last := d[len(d)-1]; last == '{' || last == ',' {
		return ""
	}
	return ","
}

// appendValues appends what is found first for each value.
func (r *pageReader) appendValues(d []byte, root *html.Node) []byte {
	found := make([]*html.Node, len(r.values))
	left := len(r.values)
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		for i, v := range r.values {
			if found[i] == nil && v.selector != nil && v.selector.Match(node) {
				found[i] = node
				left--
			}
		}
		if left == 0 {
			break
		}
	}
	for i, v := range r.values {
		d = r.appendValue(d, v, found[i])
	}
	return d
}

// appendValue appends the value of the element as a member; nothing without one.
func (r *pageReader) appendValue(d []byte, v value, node *html.Node) []byte {
	if node == nil {
		return d
	}
	content, has := "", true
	if v.attribute != "" {
		content, has = attribute(node, v.attribute)
	} else {
		content = r.textOf(node)
	}
	if !has {
		return d
	}
	d = append(d, separator(d)...)
	d = append(jsonpath.AppendString(d, v.name), ':')
	return r.appendText(d, content)
}

// appendText appends a text, and spends what it grows by in JSON.
func (r *pageReader) appendText(d []byte, text string) []byte {
	before := len(d)
	d = jsonpath.AppendString(d, text)
	r.spend(len(d) - before - len(text))
	return d
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
func (r *pageReader) textOf(node *html.Node) string {
	var b strings.Builder
	var visit func(*html.Node)
	visit = func(node *html.Node) { // the parser has bounded the depth
		switch {
		case !r.spend(1 + len(node.Data)):
			return
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
