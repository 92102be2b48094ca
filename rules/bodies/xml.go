package bodies

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
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

// element is an element of XML that is being read.
type element struct {
	name     string
	text     strings.Builder
	children fields
}

// ReadXML reads XML as an object with the root's name: an element without others in
// it is its text, and another an object of them by their local names, of its
// attributes as -NAME, and of its text as #text. Entities are the five of XML alone.
func ReadXML(body []byte) ([]byte, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	open, elements := []*element{{}}, 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if len(open) > 1 || open[0].children.count != 1 {
				return nil, errXML
			}
			return open[0].children.json(), nil
		}
		if err != nil {
			return nil, errXML
		}
		switch token := token.(type) {
		case xml.StartElement:
			if elements++; elements > maxElements || len(open) > maxXMLDepth {
				return nil, errElements
			}
			open = append(open, begin(token))
		case xml.EndElement:
			last := open[len(open)-1]
			if len(open) == 1 || last.name != token.Name.Local {
				return nil, errXML
			}
			open = open[:len(open)-1]
			if err := open[len(open)-1].children.add(last.name, last.json()); err != nil {
				return nil, err
			}
		case xml.CharData:
			open[len(open)-1].text.Write(token)
		}
	}
}

func begin(start xml.StartElement) *element {
	e := &element{name: start.Name.Local}
	isNamespace := func(a xml.Attr) bool { return a.Name.Space == "xmlns" || a.Name.Local == "xmlns" }
	for _, attribute := range slices.DeleteFunc(start.Attr, isNamespace) {
		_ = e.children.add("-"+attribute.Name.Local, text([]byte(attribute.Value))) // more than maxFields are left out
	}
	return e
}

// json returns the element as JSON. Space between elements is no text.
func (e *element) json() string {
	content := e.text.String()
	if e.children.count == 0 {
		return string(jsonpath.AppendString(nil, content))
	}
	if strings.TrimSpace(content) != "" {
		_ = e.children.add("#text", string(jsonpath.AppendString(nil, content)))
	}
	return string(e.children.json())
}
