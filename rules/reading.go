package rules

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/sidehook/sidehook/rules/bodies"
	"github.com/sidehook/sidehook/rules/jsonpath"
)

// reading is an exchange that is being read. Its bodies become JSON that is safe for
// gjson, each at most once and only if something asks for it.
type reading struct {
	Exchange
	html              *bodies.Page // nil if the profile reads no HTML
	target            string
	request, response readBody
}

// readBody is a body as JSON, or why it is none.
type readBody struct {
	isRead bool
	json   []byte
	err    error
}

// body returns a body as JSON.
func (r *reading) body(of origin) ([]byte, error) {
	b := &r.request
	if of == responseBody {
		b = &r.response
	}
	if !b.isRead {
		b.isRead = true
		b.json, b.err = r.read(of)
	}
	return b.json, b.err
}

func (r *reading) read(of origin) (json []byte, err error) {
	data, contentType, lacks, whose := r.RequestBody, r.RequestType, r.LacksRequest, "the participant's answer"
	if of == responseBody {
		data, contentType, lacks, whose = r.ResponseBody, r.ContentType, r.LacksResponse, "the app's response"
	}
	if lacks != "" {
		return nil, fmt.Errorf("%w: %s", errUninspected, lacks)
	}
	switch mediaType := mediaTypeOf(contentType); {
	case of == requestBody && mediaType == "application/x-www-form-urlencoded":
		json, err = bodies.ReadForm(data)
	case of == requestBody && mediaType == "multipart/form-data":
		json, err = bodies.ReadMultipart(contentType, data)
	case mediaType == "text/xml", mediaType == "application/xml", strings.HasSuffix(mediaType, "+xml") && mediaType != "application/xhtml+xml":
		json, err = bodies.ReadXML(data)
	case of == responseBody && r.isHTML():
		json, err = r.html.Read(data)
	default:
		json, err = jsonpath.ReadJSON(data)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %w", whose, err)
	}
	return json, nil
}

// isHTML reports whether the response is HTML that the profile reads.
func (r *reading) isHTML() bool { return r.html != nil && mediaTypeOf(r.ContentType) == "text/html" }

// query returns the query of the request's target.
func (r *reading) query() url.Values {
	_, raw, _ := strings.Cut(r.target, "?")
	values, _ := url.ParseQuery(raw) // what is malformed is left out
	return values
}

// mediaTypeOf returns the media type of a Content-Type in lower case. Its parameters
// may be malformed, as browsers take them.
func mediaTypeOf(contentType string) string {
	mediaType, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}
