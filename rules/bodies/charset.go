package bodies

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
)

// sniffed is how much of HTML may name its encoding, in bytes (HTML Standard, section 4.2.5.4).
const sniffed = 1024

// errCharset means that nobody knows what the bytes of a body are.
var errCharset = errors.New("is in an encoding that is not supported")

// byteOrderMarks are what bodies begin with, and in which encoding they are then.
var byteOrderMarks = [...]struct{ mark, label string }{{"\xef\xbb\xbf", "utf-8"}, {"\xff\xfe", "utf-16le"}, {"\xfe\xff", "utf-16be"}}

// charsetOf returns the charset of a Content-Type, empty for one without.
func charsetOf(contentType string) string { return parameter(contentType, "charset") }

// parameter returns a parameter of a Content-Type, empty for one without. Where one of
// them is malformed, the others count, as apps have it.
func parameter(contentType, name string) string {
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		return params[name]
	}
	_, params, _ := strings.Cut(contentType, ";")
	for param := range strings.SplitSeq(params, ";") {
		key, value, _ := strings.Cut(param, "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// decode returns a body in UTF-8: by its byte order mark, or else from the encoding of
// that label; as it is with neither. isDecoded reports whether there was one.
func decode(label string, body []byte) (decoded []byte, isDecoded bool, err error) {
	for _, bom := range byteOrderMarks {
		if rest, has := bytes.CutPrefix(body, []byte(bom.mark)); has {
			label, body = bom.label, rest
		}
	}
	if label == "" {
		return body, false, nil
	}
	e, err := lookup(label)
	if err != nil || e == nil {
		return body, err == nil, err
	}
	if decoded, err = e.NewDecoder().Bytes(body); err != nil {
		return nil, false, errCharset
	}
	return decoded, true, nil
}

// decodeHTML is decode for HTML, which may name its encoding itself. What names none and
// is no UTF-8 is read as browsers do.
func decodeHTML(contentType string, body []byte) ([]byte, error) {
	label := charsetOf(contentType)
	if label == "" && !utf8.Valid(body) {
		_, label, _ = charset.DetermineEncoding(body[:min(len(body), sniffed)], contentType)
	}
	decoded, _, err := decode(label, body)
	return decoded, err
}

// newDecoder returns a reader of what is in the encoding of that label.
func newDecoder(label string, from io.Reader) (io.Reader, error) {
	e, err := lookup(label)
	if err != nil || e == nil {
		return from, err
	}
	return e.NewDecoder().Reader(from), nil
}

// lookup returns the encoding of a label (Encoding Standard, section 4.2), nil for UTF-8.
func lookup(label string) (encoding.Encoding, error) {
	switch e, name := charset.Lookup(label); {
	case e == nil, name == "replacement":
		return nil, errCharset
	case name == "utf-8":
		return nil, nil
	default:
		return e, nil
	}
}
