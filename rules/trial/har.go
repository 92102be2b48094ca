package trial

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// maxHAR is the largest HAR file, in bytes.
const maxHAR = 512 << 20

// Errors of a HAR file.
var (
	errNoHAR    = errors.New("it has no log.entries, so it is no HAR file; save one in the network panel of your browser's developer tools")
	errEmptyHAR = errors.New("it has no entries; open the developer tools before you take the survey")
	errHARSize  = fmt.Errorf("it has more than %d bytes", maxHAR)
)

// Recorded is one exchange of a HAR file (HTTP Archive 1.2), as a browser's
// developer tools save it.
type Recorded struct {
	// Entry is its place in the file, from 1.
	Entry  int
	Method string
	// Target is the request's path and query, as on the wire.
	Target string
	// Start and End are when the request began and the response ended.
	Start, End time.Time
	// RequestHeaders and ResponseHeaders are name and value, in their order on the wire.
	RequestHeaders, ResponseHeaders [][2]string
	// HasRequestBody tells an empty body from none.
	HasRequestBody bool
	Exchange       rules.Exchange
	// LacksRequest and LacksResponse tell why a body is not in the file, empty when it is.
	LacksRequest, LacksResponse string
}

// Omission is an entry of a HAR file that is no exchange, and why.
type Omission struct {
	Entry int    `json:"entry"`
	Why   string `json:"why"`
}

type harFile struct {
	Log struct {
		Entries []json.RawMessage `json:"entries"`
	} `json:"log"`
}

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

// ReadHAR reads the exchanges of a HAR file, in the order of their start. It
// takes what Firefox, Chrome and Safari write: what it can't make an exchange of
// is skipped, and a body that the browser did not keep is noted.
func ReadHAR(r io.Reader) ([]Recorded, []Omission, error) {
	entries, err := readEntries(r)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the HAR file: %w", err)
	}
	var recorded []Recorded
	skipped := []Omission{}
	var latest time.Time // an entry that does not say when it began comes after the one before it
	for i, entry := range entries {
		one, err := readEntry(entry, latest)
		if err != nil {
			skipped = append(skipped, Omission{Entry: i + 1, Why: err.Error()})
			continue
		}
		one.Entry, latest = i+1, one.End
		recorded = append(recorded, one)
	}
	slices.SortStableFunc(recorded, func(a, b Recorded) int { return a.Start.Compare(b.Start) })
	return recorded, skipped, nil
}

// ByEnd gives exchanges in the order in which their responses ended: the order
// that observations are folded in.
func ByEnd(recorded []Recorded) []Recorded {
	sorted := slices.Clone(recorded)
	slices.SortStableFunc(sorted, func(a, b Recorded) int {
		return cmp.Or(a.End.Compare(b.End), a.Start.Compare(b.Start))
	})
	return sorted
}

func readEntries(r io.Reader) ([]json.RawMessage, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxHAR+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxHAR:
		return nil, errHARSize
	}
	var file harFile
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &file); err != nil {
		return nil, notJSON(text, err)
	}
	switch {
	case file.Log.Entries == nil:
		return nil, errNoHAR
	case len(file.Log.Entries) == 0:
		return nil, errEmptyHAR
	}
	return file.Log.Entries, nil
}

// notJSON tells on which line a file stops being JSON; a JSON of another kind is no HAR file.
func notJSON(text []byte, err error) error {
	syntax := &json.SyntaxError{}
	if !errors.As(err, &syntax) {
		return errNoHAR
	}
	line := 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
	return fmt.Errorf("it is not JSON: line %d: %w", line, err)
}

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
		Method:          e.Request.Method,
		Target:          target,
		Start:           start,
		End:             start.Add(time.Duration(max(e.Time, 0) * float64(time.Millisecond))),
		RequestHeaders:  pairs(e.Request.Headers),
		ResponseHeaders: pairs(e.Response.Headers),
		HasRequestBody:  e.Request.PostData != nil,
		Exchange: rules.Exchange{
			Host:        cmp.Or(host, header(e.Request.Headers, "Host")),
			Traceparent: header(e.Request.Headers, "traceparent"),
			Status:      max(e.Response.Status, 0),
			ContentType: cmp.Or(header(e.Response.Headers, "Content-Type"), e.Response.Content.MimeType),
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

// responseBody is missing where the browser threw it away, on leaving the page
// mostly; a status that has no body lacks none.
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

// splitURL cuts an absolute URL where its path begins, without touching a byte of
// it. A path alone, as some proxies write it, has no host.
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

// pairs leaves out the pseudo headers of HTTP/2 (:path), which no header can be called.
func pairs(headers []harHeader) [][2]string {
	list := make([][2]string, 0, len(headers))
	for _, h := range headers {
		if !strings.HasPrefix(h.Name, ":") {
			list = append(list, [2]string{h.Name, h.Value})
		}
	}
	return list
}
