package bodies

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// maxFields is how many fields of a form are read.
const maxFields = 10_000

// errFields means that a form has more than maxFields.
var errFields = fmt.Errorf("has more than %d fields", maxFields)

// errMultipart means that a body is not multipart, or lacks its end.
var errMultipart = errors.New("is not the multipart/form-data that it should be")

// fields are those of a form, in the order in which their names first came.
type fields struct {
	names  []string
	values map[string][]string // JSON
	count  int
}

func (f *fields) add(name, value string) error {
	if f.count++; f.count > maxFields {
		return errFields
	}
	if f.values == nil {
		f.values = map[string][]string{}
	}
	if _, isKnown := f.values[name]; !isKnown {
		f.names = append(f.names, name)
	}
	f.values[name] = append(f.values[name], value)
	return nil
}

// json returns the fields as an object. A name that came several times has a list.
func (f *fields) json() []byte {
	d := []byte{'{'}
	for i, name := range f.names {
		if i > 0 {
			d = append(d, ',')
		}
		d = append(jsonpath.AppendString(d, name), ':')
		values := f.values[name]
		if len(values) == 1 {
			d = append(d, values[0]...)
			continue
		}
		for j, value := range values {
			d = append(d, "[,"[min(j, 1)])
			d = append(d, value...)
		}
		d = append(d, ']')
	}
	return append(d, '}')
}

func text(s []byte) string { return string(jsonpath.AppendString(nil, string(s))) }

// ReadForm reads application/x-www-form-urlencoded, as the URL Standard (section
// 5.1) does: whatever it is, it has fields.
func ReadForm(body []byte) ([]byte, error) {
	var f fields
	for pair := range bytes.SplitSeq(body, []byte{'&'}) {
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte{'='})
		if err := f.add(string(unescape(name)), text(unescape(value))); err != nil {
			return nil, err
		}
	}
	return f.json(), nil
}

// unescape decodes a name or value of a form. A % that begins no escape is itself.
func unescape(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			out = append(out, ' ')
		case s[i] == '%' && i+2 < len(s) && hex(s[i+1]) >= 0 && hex(s[i+2]) >= 0:
			out = append(out, byte(hex(s[i+1])<<4|hex(s[i+2])))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return out
}

// hex returns the value of a hexadecimal digit, -1 for another byte.
func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// ReadMultipart reads multipart/form-data (RFC 7578), with the Content-Type of the
// request. Of a file it has name, type and size, and never the content, unless it is
// XML or JSON.
func ReadMultipart(contentType string, body []byte) ([]byte, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" || !bytes.Contains(body, []byte("--"+params["boundary"]+"--")) {
		return nil, errMultipart
	}
	var f fields
	for r := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return f.json(), nil
		}
		if err != nil {
			return nil, errMultipart
		}
		value, err := readPart(part)
		if err != nil {
			return nil, errMultipart
		}
		if err := f.add(part.FormName(), value); err != nil {
			return nil, err
		}
	}
}

// readPart returns a part as JSON. What a client sends as a file of XML or JSON are
// answers in that form.
func readPart(part *multipart.Part) (value string, err error) {
	content, err := io.ReadAll(part)
	if part.FileName() == "" {
		return text(content), err
	}
	switch contentType := part.Header.Get("Content-Type"); MediaType(contentType) {
	case "text/xml", "application/xml", "application/json":
		if read, err := Read(contentType, content, nil); err == nil {
			return string(read), nil
		}
	}
	d := jsonpath.AppendString([]byte(`{"name":`), part.FileName())
	d = jsonpath.AppendString(append(d, `,"type":`...), part.Header.Get("Content-Type"))
	return string(fmt.Appendf(d, `,"size":%d}`, len(content))), err
}
