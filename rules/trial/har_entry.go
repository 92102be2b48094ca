package trial

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// harEntry is an entry of a HAR file, as far as it is read.
type harEntry struct {
	Started string  `json:"startedDateTime"`
	Time    float64 `json:"time"`
	Request struct {
		Method   string      `json:"method"`
		URL      string      `json:"url"`
		Headers  []harHeader `json:"headers"`
		BodySize int         `json:"bodySize"`
		PostData *struct {
			Text     *string           `json:"text"`
			Encoding string            `json:"encoding"`
			Params   []json.RawMessage `json:"params"`
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int         `json:"status"`
		Headers []harHeader `json:"headers"`
		Content struct {
			Size     int     `json:"size"`
			MimeType string  `json:"mimeType"`
			Text     *string `json:"text"`
			Encoding string  `json:"encoding"`
		} `json:"content"`
	} `json:"response"`
}

type harHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// readEntry makes an exchange of an entry. latest is the end of the entry before it.
func readEntry(source json.RawMessage, latest time.Time) (Recorded, error) {
	var e harEntry
	mistyped := &json.UnmarshalTypeError{}
	if err := json.Unmarshal(source, &e); err != nil && !errors.As(err, &mistyped) { // one odd field is left at zero
		return Recorded{}, fmt.Errorf("is not an entry of a HAR file: %w", err)
	}
	target, host, err := splitURL(e.Request.URL)
	if err != nil {
		return Recorded{}, err
	}
	start, err := time.Parse(time.RFC3339Nano, e.Started)
	if err != nil {
		start = latest.Add(time.Millisecond)
	}
	one := Recorded{
		Method:         e.Request.Method,
		Target:         target,
		Start:          start,
		End:            start.Add(time.Duration(max(e.Time, 0) * float64(time.Millisecond))),
		HasRequestBody: e.Request.PostData != nil,
		Exchange: rules.Exchange{
			Host:           cmp.Or(host, header(e.Request.Headers, "Host")),
			Traceparent:    header(e.Request.Headers, "traceparent"),
			RequestType:    header(e.Request.Headers, "Content-Type"),
			RequestHeader:  fieldsOf(e.Request.Headers),
			ResponseHeader: fieldsOf(e.Response.Headers),
			Status:         max(e.Response.Status, 0),
			ContentType:    cmp.Or(header(e.Response.Headers, "Content-Type"), e.Response.Content.MimeType),
		},
	}
	one.Exchange.RequestBody, one.LacksRequest = e.requestBody()
	one.Exchange.ResponseBody, one.LacksResponse = e.responseBody()
	return one, nil
}

func (e *harEntry) requestBody() (body []byte, lacks string) {
	switch post := e.Request.PostData; {
	case post != nil && post.Text != nil:
		return decodeBody(*post.Text, post.Encoding)
	case post != nil && len(post.Params) > 0:
		return nil, "the HAR file has the form's fields instead of the request body"
	case e.Request.BodySize > 0:
		return nil, "the HAR file has no request body"
	}
	return nil, ""
}

// responseBody is missing where the browser discarded it, which it mostly does on
// leaving the page. A response that never has a body lacks none.
func (e *harEntry) responseBody() (body []byte, lacks string) {
	content, status := e.Response.Content, e.Response.Status
	hasNone := e.Request.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified || status <= 0
	switch {
	case content.Text != nil && (*content.Text != "" || content.Size <= 0):
		return decodeBody(*content.Text, content.Encoding)
	case hasNone || content.Text == nil && content.Size == 0:
		return nil, ""
	}
	return nil, `the HAR file has no response body; keep the log ("preserve log", "persist logs") and save it before you leave the page`
}

func decodeBody(text, encoding string) (body []byte, lacks string) {
	if !strings.EqualFold(encoding, "base64") {
		return []byte(text), ""
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, "its body is not the base64 that it should be"
	}
	return body, ""
}

// splitURL cuts an absolute URL where its path begins, and changes no byte of it. A
// path alone, as some proxies write it, has no host.
func splitURL(text string) (target, host string, err error) {
	text, _, _ = strings.Cut(text, "#")
	if strings.HasPrefix(text, "/") {
		return text, "", nil
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return "", "", errors.New("its URL is not one of http:// or https://")
	}
	path := strings.IndexAny(rest, "/?")
	switch {
	case path < 0:
		return "/", rest, nil
	case rest[path] == '?':
		return "/" + rest[path:], rest[:path], nil
	}
	return rest[path:], rest[:path], nil
}

func header(headers []harHeader, name string) string {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// fieldsOf leaves out the pseudo-header fields of HTTP/2, such as :path (RFC 9113, section 8.3).
func fieldsOf(headers []harHeader) []rules.HeaderField {
	list := make([]rules.HeaderField, 0, len(headers))
	for _, h := range headers {
		if !strings.HasPrefix(h.Name, ":") {
			list = append(list, rules.HeaderField(h))
		}
	}
	return list
}
