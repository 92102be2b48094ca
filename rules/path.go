package rules

import (
	"bytes"
	"strconv"
)

// pathReading is how servers differ in reading a path.
type pathReading int

const (
	// strictPath keeps empty segments and encoded slashes, as Kestrel does.
	strictPath pathReading = iota
	// mergedPath takes %2F for a slash, and several for one, as nginx does.
	mergedPath
)

// String returns the reading's name.
func (r pathReading) String() string { return [...]string{"strict", "merged"}[r] }

// isAmbiguous reports whether the readings of a path may differ.
func isAmbiguous(target []byte) bool {
	for _, part := range []string{"//", "%2f", "%2F"} {
		if bytes.Contains(target, []byte(part)) {
			return true
		}
	}
	return false
}

// splitPath splits the path of a request target as web servers do before routing:
// without query, dot segments (RFC 3986, section 5.2.4), however they are encoded,
// and a trailing slash. It appends the segments to words; ok is false if its capacity
// is too small.
func splitPath(target []byte, words [][]byte, way pathReading) (segments [][]byte, ok bool) {
	if len(target) == 0 || target[0] != '/' {
		return nil, false
	}
	if end := bytes.IndexAny(target, "?#"); end >= 0 {
		target = target[:end]
	}
	for rest, more := target[1:], true; more; {
		var word []byte
		word, rest, more = way.cut(rest)
		switch dots(word) {
		case 1:
			continue
		case 2:
			words = words[:max(len(words)-1, 0)]
			continue
		}
		isDropped := len(word) == 0 && (!more || way == mergedPath) // a trailing slash, or one of several
		switch {
		case isDropped:
		case len(words) == cap(words):
			return nil, false
		default:
			words = append(words, word)
		}
	}
	return words, true
}

// cut returns what is before and behind the first slash.
func (r pathReading) cut(path []byte) (word, rest []byte, more bool) {
	if r == strictPath {
		return bytes.Cut(path, []byte{'/'})
	}
	for i := 0; i < len(path); {
		c, width := decodeByte(path[i:])
		if c == '/' {
			return path[:i], path[i+width:], true
		}
		i += width
	}
	return path, nil, false
}

// dots returns 1 or 2 for a dot segment, encoded or not, and 0 for others.
func dots(word []byte) (n int) {
	if len(word) == 0 || len(word) > 2*len("%2e") {
		return 0
	}
	for i := 0; i < len(word); n++ {
		c, width := decodeByte(word[i:])
		if c != '.' {
			return 0
		}
		i += width
	}
	if n > 2 {
		return 0
	}
	return n
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
