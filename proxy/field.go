package proxy

import "bytes"

// fieldName identifies the header fields that a proxy acts on.
type fieldName int

const (
	otherField fieldName = iota
	hostField
	connectionField
	keepAliveField
	proxyConnectionField
	upgradeField
	teField
	expectField
	contentLengthField
	contentTypeField
	contentEncodingField
	transferEncodingField
	authorizationField
	http2SettingsField
)

// maxTokens is how many field names the Connection fields of one head may list.
const maxTokens = 16

// fields iterates over the lines of a raw head that follow the first line.
type fields struct{ rest []byte }

// field is one line of a head, without its line end. name is empty in a line that
// has no colon.
type field struct {
	line, name, value []byte
	// folded marks a continuation of the line before it (RFC 9112 section 5.2).
	folded bool
	// crlf is set when the line ended in CRLF, not in a bare LF.
	crlf bool
}

// connectionOptions are the options in the Connection fields of one head
// (RFC 9110 section 7.6.1).
type connectionOptions struct {
	close, keepAlive, upgrade bool
	// listed are names of fields that must not pass to the next connection.
	listed [maxTokens][]byte
	count  int
	// tooMany is set when there were more than maxTokens.
	tooMany bool
}

// next returns the next line; false at the empty line that ends the head.
func (f *fields) next() (field, bool) {
	end := bytes.IndexByte(f.rest, '\n')
	if end < 0 {
		return field{}, false
	}
	line := f.rest[:end]
	f.rest = f.rest[end+1:]
	crlf := end > 0 && line[end-1] == '\r'
	if crlf {
		line = line[:end-1]
	}
	if len(line) == 0 {
		return field{}, false
	}
	if line[0] == ' ' || line[0] == '\t' {
		return field{line: line, folded: true, crlf: crlf}, true
	}
	name, value, isField := bytes.Cut(line, colon)
	if !isField {
		return field{line: line, crlf: crlf}, true
	}
	return field{line: line, name: name, value: trimOWS(value), crlf: crlf}, true
}

var colon = []byte{':'}

// only returns the line of a field whose value is a list, with those members that
// keep accepts: the line itself if it accepts all, and nil if none.
func (f field) only(keep func(member []byte) bool) []byte {
	isWhole := true
	var kept []byte
	for member := range bytes.SplitSeq(f.value, comma) {
		member = trimOWS(member)
		switch {
		case len(member) == 0:
		case !keep(member):
			isWhole = false
		case kept == nil:
			kept = append(append(bytes.Clone(f.name), ": "...), member...)
		default:
			kept = append(append(kept, ", "...), member...)
		}
	}
	if kept != nil && isWhole {
		return f.line
	}
	return kept
}

// add parses the value of one Connection field.
func (o *connectionOptions) add(value []byte) {
	for len(value) > 0 {
		token, rest, _ := bytes.Cut(value, comma)
		value = rest
		switch token = trimOWS(token); {
		case len(token) == 0:
		case isNamed(token, "close"):
			o.close = true
		case isNamed(token, "keep-alive"):
			o.keepAlive = true
		case isNamed(token, "upgrade"):
			o.upgrade = true
		case o.count == maxTokens:
			o.tooMany = true
		default:
			o.listed[o.count] = token
			o.count++
		}
	}
}

var comma = []byte{','}

// lists reports whether the field of this name is listed.
func (o *connectionOptions) lists(name []byte) bool {
	for _, token := range o.listed[:o.count] {
		if bytes.EqualFold(token, name) {
			return true
		}
	}
	return false
}

// nameOf identifies a field, whatever the case of its name.
func nameOf(name []byte) fieldName {
	switch len(name) {
	case len("te"):
		return pick(name, "te", teField)
	case len("host"):
		return pick(name, "host", hostField)
	case len("expect"):
		return pick(name, "expect", expectField)
	case len("upgrade"):
		return pick(name, "upgrade", upgradeField)
	case len("content-type"):
		return pick(name, "content-type", contentTypeField)
	case len("connection"): // and keep-alive
		if isNamed(name, "connection") {
			return connectionField
		}
		return pick(name, "keep-alive", keepAliveField)
	case len("authorization"):
		return pick(name, "authorization", authorizationField)
	case len("content-length"): // and http2-settings
		if isNamed(name, "http2-settings") {
			return http2SettingsField
		}
		return pick(name, "content-length", contentLengthField)
	case len("content-encoding"): // and proxy-connection
		if isNamed(name, "content-encoding") {
			return contentEncodingField
		}
		return pick(name, "proxy-connection", proxyConnectionField)
	case len("transfer-encoding"):
		return pick(name, "transfer-encoding", transferEncodingField)
	}
	return otherField
}

func pick(name []byte, lower string, found fieldName) fieldName {
	if isNamed(name, lower) {
		return found
	}
	return otherField
}

// isNamed reports whether text equals lower, ignoring case.
func isNamed(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// trimOWS trims optional whitespace (RFC 9110 section 5.6.3).
func trimOWS(b []byte) []byte {
	for len(b) > 0 && isOWS(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isOWS(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isOWS(c byte) bool { return c == ' ' || c == '\t' }

// isToken reports whether name is a token (RFC 9110 section 5.6.2).
func isToken(name []byte) bool {
	for _, c := range name {
		if !tokenChars[c] {
			return false
		}
	}
	return len(name) > 0
}

var tokenChars = func() (table [256]bool) {
	for c := '0'; c <= '9'; c++ {
		table[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		table[c], table[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		table[c] = true
	}
	return table
}()
