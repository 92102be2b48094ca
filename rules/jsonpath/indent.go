package jsonpath

import (
	"bytes"
	"encoding/json"
)

const (
	// maxIndentation is how many times longer a document may become by Indent, and
	// leastIndentation is how many bytes longer it may become in any case.
	maxIndentation   = 8
	leastIndentation = 4 << 10
)

// Indent returns a document of JSON indented for people, as json.Indent does, or as it
// stands where it is no JSON, or so deep that it would become many times longer.
func Indent(document []byte, prefix, indent string) []byte {
	if indentedSize(document, len(prefix), len(indent)) > maxIndentation*len(document)+leastIndentation {
		return document
	}
	var out bytes.Buffer
	if json.Indent(&out, document, prefix, indent) != nil {
		return document
	}
	return out.Bytes()
}

// indentedSize estimates the size of a document after json.Indent, with prefixes and
// indents of these lengths.
func indentedSize(document []byte, prefix, indent int) int {
	size, depth, inString := len(document), 0, false
	for i := 0; i < len(document); i++ {
		switch c := document[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{', c == '[':
			depth++
			size += 1 + prefix + depth*indent
		case c == '}', c == ']':
			depth = max(depth-1, 0)
			size += 1 + prefix + depth*indent
		case c == ',':
			size += 1 + prefix + depth*indent
		case c == ':':
			size++
		}
	}
	return size
}
