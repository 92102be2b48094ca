package bodies

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"strings"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// maxFields is how many fields of a form are read.
const maxFields = 10_000

// A form as JSON is at most so many times as large as it is, and some bytes more.
const (
	formGrowth = 4
	formExtra  = 64 << 10
)

// errGrowth means that a form would be far larger as JSON.
var errGrowth = fmt.Errorf("is a form that is more than %d times as large as JSON", formGrowth)

// errFields means that a form has more than maxFields.
var errFields = fmt.Errorf("has more than %d fields", maxFields)

// errMultipart means that a body is not multipart, or lacks its end.
var errMultipart = errors.New("is not the multipart/form-data that it should be")

// fields are those of a form, in the order in which their names first came.
type fields struct {
	names  []string
	values map[string][]string // JSON
	count  int
	// left is how many bytes of JSON may still come.
	left int
}

func newFields(body []byte) *fields { return &fields{left: formGrowth*len(body) + formExtra} }

func (f *fields) add(name, value string) error {
	if f.count++; f.count > maxFields {
		return errFields
	}
	if f.left -= len(name) + len(value); f.left < 0 {
		return errGrowth
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

// addBytes adds a field that is in the encoding of a label, empty for UTF-8.
func (f *fields) addBytes(label string, name, value []byte) error {
	name, _, err := decode(label, name)
	if err == nil {
		value, _, err = decode(label, value)
	}
	if err != nil {
		return err
	}
	return f.add(string(name), text(value))
}

// FormBody is a form as an object of its fields. Of a name that came several times the
// last value counts, as for most apps; one that ends with [] has a list then.
type FormBody struct {
	JSON []byte
	// Repeated are the lists of all values, by the other names that came several times.
	Repeated map[string][]byte
}

func (f *fields) body() (form FormBody) {
	d := []byte{'{'}
	for i, name := range f.names {
		if i > 0 {
			d = append(d, ',')
		}
		d = append(jsonpath.AppendString(d, name), ':')
		values := f.values[name]
		value := values[len(values)-1]
		if len(values) > 1 {
			list := "[" + strings.Join(values, ",") + "]"
			if strings.HasSuffix(name, "[]") {
				value = list
			} else {
				form.repeat(name, list)
			}
		}
		d = append(d, value...)
	}
	form.JSON = append(d, '}')
	return form
}

func (f *FormBody) repeat(name, list string) {
	if f.Repeated == nil {
		f.Repeated = map[string][]byte{}
	}
	f.Repeated[name] = []byte(list)
}

func text(s []byte) string { return string(jsonpath.AppendString(nil, string(s))) }

// ReadForm reads application/x-www-form-urlencoded, as the URL Standard (section
// 5.1) does: whatever it is, it has fields.
func ReadForm(contentType string, body []byte) (FormBody, error) {
	f, label := newFields(body), charsetOf(contentType)
	for pair := range bytes.SplitSeq(body, []byte{'&'}) {
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte{'='})
		if err := f.addBytes(label, unescape(name), unescape(value)); err != nil {
			return FormBody{}, err
		}
	}
	return f.body(), nil
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
func ReadMultipart(contentType string, body []byte) (FormBody, error) {
	boundary := parameter(contentType, "boundary")
	if boundary == "" || !bytes.Contains(body, []byte("--"+boundary+"--")) {
		return FormBody{}, errMultipart
	}
	f := newFields(body)
	for r := multipart.NewReader(bytes.NewReader(body), boundary); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return f.body(), nil
		}
		if err != nil {
			return FormBody{}, errMultipart
		}
		value, err := readPart(part)
		if err != nil {
			return FormBody{}, err
		}
		if err := f.add(part.FormName(), value); err != nil {
			return FormBody{}, err
		}
	}
}

// readPart returns a part as JSON. What a client sends as a file of XML or JSON are
// answers in that form.
func readPart(part *multipart.Part) (value string, err error) {
	content, err := io.ReadAll(part)
	if err != nil {
		return "", errMultipart
	}
	if part.FileName() == "" {
		content, _, err = decode(charsetOf(part.Header.Get("Content-Type")), content)
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
	return string(fmt.Appendf(d, `,"size":%d}`, len(content))), nil
}
