package trial

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/bodies"
	"github.com/sidehook/sidehook/rules/jsonpath"
)

const (
	// maxOutline is how many fields an Outline has, and outlineDepth how deep they lie.
	maxOutline   = 20
	outlineDepth = 4
)

// Outline is what kind of body a request or a response has, and which fields: whoever
// writes a profile takes ids, pages and answers from them.
type Outline struct {
	Kind bodies.Kind `json:"kind"`
	// Fields are gjson paths, and of HTML the names of the controls of its forms. They
	// are the first maxOutline.
	Fields []string `json:"fields"`
	// Left is how many there are besides.
	Left int `json:"left"`
}

// controls reads all that a page's forms would send but passwords.
var controls = bodies.CompilePage(bodies.PageFields{Fields: bodies.ControlFields{In: "form", Hidden: "input"}}, nil)

// outlineOf returns nil for a body that cannot be read, or has no fields.
func outlineOf(contentType string, body []byte) *Outline {
	o := &Outline{Kind: bodies.KindOf(contentType), Fields: []string{}}
	read, err := bodies.Read(contentType, body, controls)
	if err != nil {
		return nil
	}
	value := gjson.ParseBytes(read)
	if o.Kind == bodies.HTML {
		for _, name := range value.Get("fields.#.name").Array() {
			o.add(name.String())
		}
		return o
	}
	o.addMembers("", value, outlineDepth)
	if len(o.Fields) == 0 {
		return nil
	}
	return o
}

// addMembers adds the members of a value that is at a path. Those of a list are the
// members of any of its elements.
func (o *Outline) addMembers(path string, value gjson.Result, depth int) {
	isList := value.IsArray()
	if !isList && !value.IsObject() || depth == 0 {
		return
	}
	value.ForEach(func(name, member gjson.Result) bool {
		switch {
		case isList && !member.IsObject():
			return false // a list of values is a field itself
		case isList:
			o.addMembers(path+"#.", member, depth-1)
		case member.IsObject() && len(member.Map()) > 0, member.IsArray() && member.Get("0").IsObject():
			o.addMembers(path+gjson.Escape(name.String())+".", member, depth-1)
		case isJSON(member):
			inside, _ := jsonpath.ReadJSON([]byte(member.Str))
			o.addMembers(path+gjson.Escape(name.String())+"|@fromstr|", gjson.ParseBytes(inside), depth-1)
		default:
			o.add(path + gjson.Escape(name.String()))
		}
		return true
	})
}

// isJSON reports whether a value is a text of JSON with members.
func isJSON(value gjson.Result) bool {
	text := strings.TrimSpace(value.Str)
	return strings.HasPrefix(text, "{") && jsonpath.CheckJSON([]byte(text)) == nil && gjson.Parse(text).Get("@keys.0").Exists()
}

func (o *Outline) add(field string) {
	switch {
	case slices.Contains(o.Fields, field):
	case len(o.Fields) < maxOutline:
		o.Fields = append(o.Fields, field)
	default:
		o.Left++
	}
}

// String returns the outline in words.
func (o *Outline) String() string {
	text := string(o.Kind)
	if len(o.Fields) > 0 {
		text += " with " + strings.Join(o.Fields, ", ")
	}
	if o.Left > 0 {
		text += fmt.Sprintf(" and %d more", o.Left)
	}
	return text
}
