package demo_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/proxy/demo"
)

// exchange is a request and its response, either recorded from Decsys, one a line
// in testdata, or from the app. It has only the headers that are compared.
type exchange struct {
	Method, Path, Body string
	Overlaps           bool // it began before the previous one had ended
	Status             int
	Headers            map[string]string
	Response           string
}

// rawTransport neither asks for compression nor decodes it.
var rawTransport = &http.Transport{DisableCompression: true}

// serve runs the app on a real socket and returns its base URL.
func serve(t testing.TB, o demo.Options) string {
	t.Helper()
	server := httptest.NewServer(demo.New(o))
	t.Cleanup(func() {
		rawTransport.CloseIdleConnections()
		server.Close()
	})
	return server.URL
}

// do sends a request that accepts gzip, as browsers do.
func do(t testing.TB, base, method, path, body string) exchange {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip, deflate")
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := rawTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	return exchange{
		Method: method, Path: path, Body: body, Status: response.StatusCode,
		Headers: comparedHeaders(response), Response: decodedBody(t, response),
	}
}

// comparedHeaders returns the headers that are compared with recordings.
func comparedHeaders(response *http.Response) map[string]string {
	headers := map[string]string{}
	for _, name := range []string{"Content-Type", "Content-Encoding", "Vary", "X-Clacks-Overhead", "Allow"} {
		if value := response.Header.Get(name); value != "" {
			headers[name] = value
		}
	}
	if len(response.TransferEncoding) > 0 {
		headers["Transfer-Encoding"] = strings.Join(response.TransferEncoding, ", ")
	}
	if response.Header.Get("Content-Length") == "0" {
		headers["Content-Length"] = "0"
	}
	return headers
}

// decodedBody reads a body and undoes gzip.
func decodedBody(t testing.TB, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.Header.Get("Content-Encoding") != "gzip" || len(body) == 0 {
		return string(body)
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// recorded reads a recording from testdata.
func recorded(t testing.TB, name string) []exchange {
	t.Helper()
	file, err := os.Open("testdata/" + name + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var exchanges []exchange
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e exchange
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		exchanges = append(exchanges, e)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return exchanges
}
