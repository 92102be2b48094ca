package rules

import "strings"

// ShownPath returns the path of a request's target for a log. Segments that routes of
// the profile have literally are shown as the profile writes them. Any other one may
// be an id, whether a route matches the request or not, and is replaced by the digest
// of its decoded text, and so is a path as a whole that cannot be split. There is no query.
func (p *Profile) ShownPath(target []byte, digest func(string) string) string {
	var buffer [maxSegments][]byte
	words, ok := splitPath(target, buffer[:0], strictPath)
	if !ok {
		path, _, _ := strings.Cut(string(target), "?")
		return digest(path)
	}
	var b strings.Builder
	for _, word := range words {
		b.WriteByte('/')
		if text, isLiteral := p.literalOf(word); isLiteral {
			b.WriteString(text)
		} else {
			b.WriteString(digest(decodeSegment(word)))
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// literalOf returns the literal of a route that a word of a path matches.
func (p *Profile) literalOf(word []byte) (text string, ok bool) {
	for _, r := range p.routes {
		for _, s := range r.segments {
			if (s.kind == literal || s.kind == exactLiteral) && s.matches(word) {
				return s.text, true
			}
		}
	}
	return "", false
}
