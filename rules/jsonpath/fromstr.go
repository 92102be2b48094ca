package jsonpath

import "github.com/tidwall/gjson"

// fromString is the modifier @fromstr: the JSON that a string has for its text.
// gjson's own would take JSON of any depth.
func fromString(json, _ string) string {
	inner := gjson.Parse(json)
	if inner.Type != gjson.String || CheckJSON([]byte(inner.Str)) != nil {
		return ""
	}
	return inner.Str
}

func init() { gjson.AddModifier("fromstr", fromString) }
