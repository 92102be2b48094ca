package rules

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/jsonpath"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// bodyPath is where a value lies in an exchange: a gjson path into one of its
// bodies. A profile writes it as request:GJSON or response:GJSON.
type bodyPath struct {
	body  body
	gjson string
}

// body is one of the two bodies of an exchange.
type body int

const (
	noBody body = iota
	requestBody
	responseBody
)

// String returns the body's name as a profile writes it.
func (b body) String() string {
	switch b {
	case noBody:
		return "none"
	case requestBody:
		return "request"
	case responseBody:
		return "response"
	}
	return fmt.Sprintf("body(%d)", int(b))
}

func parseBodyPath(text string) (bodyPath, error) {
	name, path, _ := strings.Cut(text, ":")
	for _, body := range []body{requestBody, responseBody} {
		if name == body.String() {
			return bodyPath{body, path}, jsonpath.CheckPath(path)
		}
	}
	return bodyPath{}, fmt.Errorf("must be request:GJSON or response:GJSON, not %q", text)
}

func compileBodyPath(doc *strictyaml.Document, path, text string) bodyPath {
	p, err := parseBodyPath(text)
	if err != nil {
		doc.Wrong(path, "%s", err)
	}
	return p
}

// value returns what lies there; it does not exist where the body lacks it.
func (p bodyPath) value(x Exchange) gjson.Result {
	switch p.body {
	case requestBody:
		return jsonpath.Get(x.RequestBody, p.gjson)
	case responseBody:
		return jsonpath.Get(x.ResponseBody, p.gjson)
	}
	return gjson.Result{}
}
