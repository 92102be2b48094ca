package rules

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Recorded is one exchange of a HAR file (HTTP Archive 1.2), as a browser's
// developer tools save it.
type Recorded struct {
	Method string
	// Target is the request's path and query, as on the wire.
	Target string
	// Start and End are when the request began and the response ended.
	Start, End time.Time
	// RequestHeaders and ResponseHeaders are name and value, in their order on the wire.
	RequestHeaders, ResponseHeaders [][2]string
	// HasRequestBody tells an empty body from none.
	HasRequestBody bool
	Exchange       Exchange
}

type harFile struct {
	Log struct {
		Entries []harEntry `json:"entries"`
	} `json:"log"`
}

type harEntry struct {
	Started time.Time `json:"startedDateTime"`
	Time    float64   `json:"time"`
	Request struct {
		Method   string      `json:"method"`
		URL      string      `json:"url"`
		Headers  []harHeader `json:"headers"`
		PostData *struct {
			Text string `json:"text"`
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int         `json:"status"`
		Headers []harHeader `json:"headers"`
		Content struct {
			Text string `json:"text"`
		} `json:"content"`
	} `json:"response"`
}

type harHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ReadHAR reads the exchanges of a HAR file, in the order of their start.
func ReadHAR(r io.Reader) ([]Recorded, error) {
	var file harFile
	if err := json.NewDecoder(r).Decode(&file); err != nil {
		return nil, fmt.Errorf("cannot read the HAR file: %w", err)
	}
	recorded := make([]Recorded, 0, len(file.Log.Entries))
	for i := range file.Log.Entries {
		one, err := file.Log.Entries[i].recorded()
		if err != nil {
			return nil, fmt.Errorf("cannot read entry %d of the HAR file: %w", i, err)
		}
		recorded = append(recorded, one)
	}
	slices.SortStableFunc(recorded, func(a, b Recorded) int { return a.Start.Compare(b.Start) })
	return recorded, nil
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

func (e *harEntry) recorded() (Recorded, error) {
	target, host, err := splitURL(e.Request.URL)
	if err != nil {
		return Recorded{}, err
	}
	one := Recorded{
		Method:          e.Request.Method,
		Target:          target,
		Start:           e.Started,
		End:             e.Started.Add(time.Duration(e.Time * float64(time.Millisecond))),
		RequestHeaders:  pairs(e.Request.Headers),
		ResponseHeaders: pairs(e.Response.Headers),
		Exchange: Exchange{
			Host:         host,
			Traceparent:  header(e.Request.Headers, "traceparent"),
			Status:       e.Response.Status,
			ContentType:  header(e.Response.Headers, "Content-Type"),
			ResponseBody: []byte(e.Response.Content.Text),
		},
	}
	if e.Request.PostData != nil {
		one.HasRequestBody = true
		one.Exchange.RequestBody = []byte(e.Request.PostData.Text)
	}
	return one, nil
}

// splitURL cuts an absolute URL where its path begins, without touching a byte of it.
func splitURL(text string) (target, host string, err error) {
	if _, err := url.Parse(text); err != nil {
		return "", "", fmt.Errorf("its URL cannot be parsed")
	}
	_, rest, ok := strings.Cut(text, "://")
	if !ok {
		return "", "", fmt.Errorf("its URL is not absolute")
	}
	host, path, _ := strings.Cut(rest, "/")
	return "/" + path, host, nil
}

func header(headers []harHeader, name string) string {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func pairs(headers []harHeader) [][2]string {
	list := make([][2]string, 0, len(headers))
	for _, h := range headers {
		list = append(list, [2]string{h.Name, h.Value})
	}
	return list
}
