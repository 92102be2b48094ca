package rules

import (
	"bytes"
	"strconv"
)

// splitPath splits the path of a request target as web servers do before routing:
// without query, dot segments (RFC 3986, section 5.2.4) and a trailing slash. It
// appends the segments to words; ok is false if its capacity is too small.
func splitPath(target []byte, words [][]byte) (segments [][]byte, ok bool) {
	if len(target) == 0 || target[0] != '/' {
		return nil, false
	}
	if end := bytes.IndexAny(target, "?#"); end >= 0 {
		target = target[:end]
	}
	for rest, more := target[1:], true; more; {
		var word []byte
		word, rest, more = bytes.Cut(rest, []byte{'/'})
		switch {
		case string(word) == ".":
		case string(word) == "..":
			words = words[:max(len(words)-1, 0)]
		case len(word) == 0 && !more: // a trailing slash
		case len(words) == cap(words):
			return nil, false
		default:
			words = append(words, word)
		}
	}
	return words, true
}

// decodeSegment decodes percent-encoding, except for %2F: a slash would begin
// another segment. Kestrel, the web server of Decsys, does the same.
func decodeSegment(word []byte) string {
	if bytes.IndexByte(word, '%') < 0 {
		return string(word)
	}
	out := make([]byte, 0, len(word))
	for i := 0; i < len(word); {
		c, width := decodeByte(word[i:])
		if c == '/' {
			out = append(out, word[i:i+width]...)
		} else {
			out = append(out, c)
		}
		i += width
	}
	return string(out)
}

// decodeByte returns the first byte of a percent-encoded text, and the number of
// bytes that encode it. A % that begins no escape is itself.
func decodeByte(text []byte) (c byte, width int) {
	if text[0] != '%' || len(text) < 3 {
		return text[0], 1
	}
	value, err := strconv.ParseUint(string(text[1:3]), 16, 8)
	if err != nil {
		return text[0], 1
	}
	return byte(value), 3
}
