package demo

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const (
	textPlain       = "text/plain; charset=utf-8"
	applicationJSON = "application/json; charset=utf-8"
	problemJSON     = "application/problem+json; charset=utf-8"

	// The problem types of ASP.NET Core.
	badRequest = "https://tools.ietf.org/html/rfc9110#section-15.5.1"
	notFound   = "https://tools.ietf.org/html/rfc9110#section-15.5.5"
)

// problem is the body of a 400 or 404 (RFC 9457), in the wire's order.
type problem struct {
	Errors  json.RawMessage `json:"errors,omitempty"`
	Type    string          `json:"type"`
	Title   string          `json:"title"`
	Status  int             `json:"status"`
	TraceID string          `json:"traceId"`
}

var gzips = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// sendJSON responds 200 with v as Decsys writes it: compact, nulls included, and
// <, > and & unescaped.
func sendJSON(w http.ResponseWriter, r *http.Request, v any) {
	send(w, r, http.StatusOK, applicationJSON, marshal(v))
}

// send responds with a body, however short: gzipped and chunked for clients that
// accept gzip, with its length for others.
func send(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	if r.Header.Get("Accept-Encoding") != "" {
		header.Set("Vary", "Accept-Encoding")
	}
	isCompressed := acceptsGzip(r)
	if isCompressed {
		header.Set("Content-Encoding", "gzip")
		body = compress(body)
	} else {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have left
	if isCompressed {
		_ = http.NewResponseController(w).Flush() // or net/http would add a length
	}
}

// sendEmpty responds without a body. A 500 of Decsys lacks the app's own header,
// too, since the server writes it in the app's place.
func sendEmpty(w http.ResponseWriter, status int) {
	if status == http.StatusInternalServerError {
		w.Header().Del("X-Clacks-Overhead")
	}
	w.WriteHeader(status)
}

func (a *App) sendNotFound(w http.ResponseWriter) {
	a.sendProblem(w, problem{Type: notFound, Title: "Not Found", Status: http.StatusNotFound})
}

// sendProblem responds with a problem, which is never compressed.
func (a *App) sendProblem(w http.ResponseWriter, p problem) {
	trace := strings.ReplaceAll(a.options.NewID()+a.options.NewID(), "-", "")
	p.TraceID = "00-" + trace[:32] + "-" + trace[32:48] + "-00"
	body := marshal(p)
	w.Header().Set("Content-Type", problemJSON)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client may have left
}

// numbers parses variables that must be integers. If some are not, it responds 400
// and lists them.
func (v variables) numbers(a *App, w http.ResponseWriter, names ...string) ([]int, bool) {
	var wrong []string
	numbers := make([]int, len(names))
	for i, name := range names {
		n, err := strconv.ParseInt(v[name], 10, 32)
		numbers[i] = int(n)
		if err != nil {
			message := marshal("The value '" + v[name] + "' is not valid.")
			wrong = append(wrong, `"`+name+`":[`+string(message)+`]`)
		}
	}
	if wrong != nil {
		errors := json.RawMessage("{" + strings.Join(wrong, ",") + "}")
		a.sendProblem(w, problem{Errors: errors, Type: badRequest, Title: "One or more validation errors occurred.", Status: http.StatusBadRequest})
	}
	return numbers, wrong == nil
}

func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only types that marshal are sent
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		isRefused := strings.Trim(weight, " .0") == "q="
		if strings.EqualFold(strings.TrimSpace(name), "gzip") && !isRefused {
			return true
		}
	}
	return false
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	z := gzips.Get().(*gzip.Writer)
	defer gzips.Put(z)
	z.Reset(&b)
	_, _ = z.Write(body) // a buffer never fails
	_ = z.Close()
	return b.Bytes()
}
