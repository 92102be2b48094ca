package jsonpath

import (
	"strings"

	"github.com/tidwall/gjson"
)

// special has what makes more than names of a gjson path.
const special = `\|@*?#{}()[]!"`

// Get is gjson.GetBytes, except that of members with the same name the last one
// counts, as for the parsers of nearly every app; gjson takes the first. It does so
// for paths of names and numbers; queries and modifiers are gjson's. data must have
// passed CheckJSON.
func Get(data []byte, path string) gjson.Result { return In(gjson.ParseBytes(data), path) }

// In is Get within a value.
func In(value gjson.Result, path string) gjson.Result {
	if path == "" || strings.ContainsAny(path, special) {
		return inSpecial(value, path)
	}
	for name := range strings.SplitSeq(path, ".") {
		if !value.IsObject() {
			value = value.Get(name)
			continue
		}
		var last gjson.Result
		value.ForEach(func(key, member gjson.Result) bool {
			if key.String() == name {
				last = member
			}
			return true
		})
		value = last
	}
	return value
}

// inSpecial is In for a path that is more than names.
func inSpecial(value gjson.Result, path string) gjson.Result {
	before, after, found := cutFromString(path)
	if !found {
		return value.Get(path)
	}
	if before != "" {
		value = In(value, before)
	}
	if value = readString(value); after == "" {
		return value
	}
	return In(value, after)
}
