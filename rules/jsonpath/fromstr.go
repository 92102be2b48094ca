package jsonpath

import (
	"strings"

	"github.com/tidwall/gjson"
)

// fromString is the modifier that reads the JSON in a string. gjson's own takes what
// is no JSON, or nested too deeply, as it is.
const fromString = "@fromstr"

// cutFromString returns the paths before and behind the modifier.
func cutFromString(path string) (before, after string, found bool) {
	for from := 0; ; {
		i := strings.Index(path[from:], fromString)
		if i < 0 {
			return path, "", false
		}
		i += from
		from = i + len(fromString)
		isEnd := from == len(path) || path[from] == '.' || path[from] == '|'
		if isEnd && (i == 0 || path[i-1] == '.' || path[i-1] == '|') {
			return path[:max(i-1, 0)], strings.TrimLeft(path[from:], ".|"), true
		}
	}
}

// readString returns the JSON that a string has for its text; nothing for another text.
func readString(value gjson.Result) gjson.Result {
	if value.Type != gjson.String || CheckJSON([]byte(value.Str)) != nil {
		return gjson.Result{}
	}
	return gjson.Parse(value.Str)
}
