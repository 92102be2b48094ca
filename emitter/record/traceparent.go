package record

import "strings"

// traceparentSize is the length of a traceparent of version 00.
const traceparentSize = 55

// validTraceparent returns a participant's traceparent if it is valid, empty
// otherwise: it goes to the target as a header, and anybody may send anything
// (W3C Trace Context, section 3.2: version 00, trace-id, parent-id and flags in
// lowercase hex, neither id all zeros).
func validTraceparent(text string) string {
	if len(text) != traceparentSize || !strings.HasPrefix(text, "00-") || text[35] != '-' || text[52] != '-' {
		return ""
	}
	traceID, parentID, flags := text[3:35], text[36:52], text[53:]
	for _, part := range []string{traceID, parentID, flags} {
		if strings.Trim(part, "0123456789abcdef") != "" {
			return ""
		}
	}
	if isZero(traceID) || isZero(parentID) {
		return ""
	}
	return text
}

func isZero(digits string) bool { return strings.Trim(digits, "0") == "" }
