package strictyaml

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// unquoted matches texts that are the same text in YAML without quotes: what begins with
// a letter, a slash or a dot and a slash, and is no word of YAML's own.
var unquoted = regexp.MustCompile(`^(\.{0,2}/|[A-Za-z])[A-Za-z0-9_./~?=+-]*(:[A-Za-z0-9_./~?=+-]+)*$`)

// WriteText returns a text as a scalar of YAML: as it is where it can be, or else as
// JSON, which YAML includes.
func WriteText(text string) string {
	switch strings.ToLower(text) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
	default:
		if unquoted.MatchString(text) {
			return text
		}
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	_ = out.Encode(text) // a string always can be
	return strings.TrimSuffix(b.String(), "\n")
}
