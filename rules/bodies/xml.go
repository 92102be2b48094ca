package bodies

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// Bounds of XML that is read.
const (
	maxElements = 50_000
	maxXMLDepth = 60 // less than JSON may have
)

var (
	errXML      = errors.New("is not valid XML")
	errElements = fmt.Errorf("has more than %d elements, or is nested deeper than %d", maxElements, maxXMLDepth)
)

// element is an element of XML that is being read, or an attribute, which has only text.
type element struct {
	name string
	text strings.Builder
	// names are those of its children, in the order in which they first came.
	names    []string
	children map[string][]*element
}

// ReadXML reads XML as an object with the root's name: an element without others in
// it is its text, and another an object of them by their local names, of its
// attributes as -NAME, and of its text as #text. Entities are the five of XML alone.
// The charset of the Content-Type comes before the encoding that the XML declares.
func ReadXML(contentType string, body []byte) ([]byte, error) {
	body, isDecoded, err := decode(charsetOf(contentType), body)
	if err != nil {
		return nil, err
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = func(label string, input io.Reader) (io.Reader, error) {
		if isDecoded {
			return input, nil
		}
		return newDecoder(label, input)
	}
	open, elements := []*element{{}}, 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if len(open) > 1 || len(open[0].names) != 1 || len(open[0].children[open[0].names[0]]) != 1 {
				return nil, errXML
			}
			return open[0].append(nil), nil
		}
		if errors.Is(err, errCharset) {
			return nil, errCharset
		}
		if err != nil {
			return nil, errXML
		}
		last := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			if elements += 1 + len(token.Attr); elements > maxElements || len(open) > maxXMLDepth {
				return nil, errElements
			}
			open = append(open, last.begin(token))
		case xml.EndElement:
			if len(open) == 1 || last.name != token.Name.Local {
				return nil, errXML
			}
			open[len(open)-1] = nil
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 1 {
				last.text.Write(token)
			}
		}
	}
}

// begin adds an element to e.
func (e *element) begin(start xml.StartElement) *element {
	child := e.add(start.Name.Local)
	for _, attribute := range start.Attr {
		if attribute.Name.Space != "xmlns" && attribute.Name.Local != "xmlns" {
			child.add("-" + attribute.Name.Local).text.WriteString(attribute.Value)
		}
	}
	return child
}

func (e *element) add(name string) *element {
	child := &element{name: name}
	if e.children == nil {
		e.children = map[string][]*element{}
	}
	if e.children[name] == nil {
		e.names = append(e.names, name)
	}
	e.children[name] = append(e.children[name], child)
	return child
}

// append appends the element as JSON. Space between elements is no text.
func (e *element) append(d []byte) []byte {
	content := e.text.String()
	if len(e.names) == 0 && e.name != "" {
		return jsonpath.AppendString(d, content)
	}
	if strings.TrimSpace(content) != "" {
		e.add("#text").text.WriteString(content)
	}
	d = append(d, '{')
	for i, name := range e.names {
		if i > 0 {
			d = append(d, ',')
		}
		d = append(jsonpath.AppendString(d, name), ':')
		d = appendList(d, e.children[name])
	}
	return append(d, '}')
}

// appendList appends elements of one name, a single one as itself.
func appendList(d []byte, list []*element) []byte {
	if len(list) == 1 {
		return list[0].append(d)
	}
	for i, one := range list {
		d = append(d, "[,"[min(i, 1)])
		d = one.append(d)
	}
	return append(d, ']')
}
