package rules

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/sidehook/sidehook/rules/bodies"
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
	// repeated are the values of each field of a form that came several times.
	repeated map[string][]byte
}

// body returns a body as JSON.
func (r *reading) body(of origin) ([]byte, error) {
	b := &r.request
	if of == responseBody {
		b = &r.response
	}
	if !b.isRead {
		b.isRead = true
		b.json, b.repeated, b.err = r.read(of)
	}
	return b.json, b.err
}

func (r *reading) read(of origin) (json []byte, repeated map[string][]byte, err error) {
	data, contentType, lacks, whose := r.RequestBody, r.RequestType, r.LacksRequest, "the participant's answer"
	var page *bodies.Page
	if of == responseBody {
		page = r.html
		data, contentType, lacks, whose = r.ResponseBody, r.ContentType, r.LacksResponse, "the app's response"
	}
	if lacks != "" {
		return nil, nil, fmt.Errorf("%w: %s", errUninspected, lacks)
	}
	switch bodies.KindOf(contentType) {
	case bodies.Form, bodies.Multipart:
		var form bodies.FormBody
		form, err = bodies.ReadFields(contentType, data)
		json, repeated = form.JSON, form.Repeated
	default:
		json, err = bodies.Read(contentType, data, page)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s %w", whose, err)
	}
	return json, repeated, nil
}

// isHTML reports whether the response is HTML that the profile reads.
func (r *reading) isHTML() bool { return r.html != nil && bodies.KindOf(r.ContentType) == bodies.HTML }

// query returns the query of the request's target.
func (r *reading) query() url.Values {
	_, raw, _ := strings.Cut(r.target, "?")
	values, _ := url.ParseQuery(raw) // what is malformed is left out
	return values
}
