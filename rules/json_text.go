package rules

import (
	"time"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// appendTime appends a time as RFC 3339 in UTC with milliseconds, or null for the zero time.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	return t.UTC().AppendFormat(dst, `"2006-01-02T15:04:05.000Z"`)
}

// appendText appends text as a JSON string, or null if it is empty.
func appendText(dst []byte, text string) []byte {
	if text == "" {
		return append(dst, "null"...)
	}
	return jsonpath.AppendString(dst, text)
}
