package bodies

import (
	"strings"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// Kind is what a body is, by its media type.
type Kind string

// The kinds of bodies. What is none of the others may be JSON: some apps send that
// as text.
const (
	JSON      Kind = "JSON"
	Form      Kind = "form"
	Multipart Kind = "multipart form"
	XML       Kind = "XML"
	HTML      Kind = "HTML"
)

// KindOf returns the kind of a body with this Content-Type.
func KindOf(contentType string) Kind {
	switch mediaType := MediaType(contentType); {
	case mediaType == "application/x-www-form-urlencoded":
		return Form
	case mediaType == "multipart/form-data":
		return Multipart
	case mediaType == "text/html", mediaType == "application/xhtml+xml":
		return HTML
	case mediaType == "text/xml", mediaType == "application/xml", strings.HasSuffix(mediaType, "+xml"):
		return XML
	}
	return JSON
}

// MediaType returns the media type of a Content-Type in lower case. Its parameters
// may be malformed, as browsers take them.
func MediaType(contentType string) string {
	mediaType, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// Read reads a body as JSON that is safe for gjson, by its Content-Type. Of HTML it
// reads what page has; without a page HTML is not read.
func Read(contentType string, body []byte, page *Page) ([]byte, error) {
	switch kind := KindOf(contentType); {
	case kind == Form, kind == Multipart:
		form, err := ReadFields(contentType, body)
		return form.JSON, err
	case kind == XML:
		return ReadXML(contentType, body)
	case kind == HTML && page != nil:
		return page.Read(contentType, body)
	}
	return jsonpath.ReadJSON(body)
}

// ReadFields reads a body of the kinds Form and Multipart.
func ReadFields(contentType string, body []byte) (FormBody, error) {
	if KindOf(contentType) == Multipart {
		return ReadMultipart(contentType, body)
	}
	return ReadForm(contentType, body)
}
