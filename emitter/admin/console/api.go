package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// api calls the admin API in the same process.
type api struct{ handler http.Handler }

// apiError is a response that is no success.
type apiError struct {
	status int
	text   string
}

func (e *apiError) Error() string { return e.text }

// get asks for path on behalf of r and decodes the response.
func (a api) get(r *http.Request, path string, values url.Values, into any) error {
	text, err := a.do(r, http.MethodGet, path, values, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// post is get for a change; into may be nil.
func (a api) post(r *http.Request, path string, values url.Values, into any) error {
	text, err := a.do(r, http.MethodPost, path, values, nil)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func (a api) do(r *http.Request, method, path string, values url.Values, body io.Reader) ([]byte, error) {
	request, err := http.NewRequestWithContext(r.Context(), method, path, body)
	if err != nil {
		return nil, fmt.Errorf("cannot ask for %s: %w", path, err)
	}
	request.URL.RawQuery = values.Encode()
	request.RemoteAddr, request.Host = r.RemoteAddr, r.Host
	response := &response{header: http.Header{}, status: http.StatusOK}
	a.handler.ServeHTTP(response, request)
	if response.status >= http.StatusMultipleChoices {
		return nil, &apiError{response.status, strings.TrimSpace(response.body.String())}
	}
	return response.body.Bytes(), nil
}

// stream serves r with the API's response to path, as it comes.
func (a api) stream(w http.ResponseWriter, r *http.Request, path string) {
	request := r.Clone(r.Context())
	request.URL.Path = path
	a.handler.ServeHTTP(w, request)
}

// response keeps what the API responds.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *response) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *response) WriteHeader(status int) { r.status = status }

// Write implements io.Writer.
func (r *response) Write(p []byte) (int, error) { return r.body.Write(p) }

// statusOf returns the status that reports err.
func statusOf(err error) int {
	var known *apiError
	if errors.As(err, &known) {
		return known.status
	}
	return http.StatusInternalServerError
}
