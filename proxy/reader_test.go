package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func TestReaderGetsFromTheAppOverEveryTransport(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		case "/long":
			_, _ = io.WriteString(w, strings.Repeat("x", 101))
		default:
			_, _ = io.WriteString(w, r.Method+" "+r.Host+r.URL.EscapedPath())
		}
	})
	plain := httptest.NewServer(handler)
	defer plain.Close()
	secured := httptest.NewTLSServer(handler)
	defer secured.Close()
	path := filepath.Join(t.TempDir(), "app")
	socket, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	local := &httptest.Server{Listener: socket, Config: &http.Server{Handler: handler}} //nolint:gosec // of a test
	local.Start()
	defer local.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secured.Certificate())
	trusted := &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12}

	f := func(address string) {
		t.Helper()
		reader, err := NewReader(address, trusted, 100)
		if err != nil {
			t.Fatal(err)
		}
		status, contentType, body, err := reader.Get(t.Context(), "survey.example.org:8080", "/api/log/3/a%20b%2Fc")
		if err != nil || status != 200 || contentType != "application/json" || string(body) != "GET survey.example.org:8080/api/log/3/a%20b%2Fc" {
			t.Errorf("%s: %d %s %q, %v", address, status, contentType, body, err)
		}
		if status, _, _, err := reader.Get(t.Context(), "h", "/moved"); err != nil || status != http.StatusTemporaryRedirect {
			t.Errorf("%s: a redirect gives %d, %v", address, status, err)
		}
		if _, _, _, err := reader.Get(t.Context(), "h", "/long"); err == nil || !strings.Contains(err.Error(), "more than 100 bytes") {
			t.Errorf("%s: a long response gives %v", address, err)
		}
	}
	f(plain.URL)
	f(secured.URL)
	f("unix:" + path)
}

func TestReaderSendsOnlyHostsThatAreHosts(t *testing.T) {
	seen := ""
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Host }))
	defer app.Close()
	reader, err := NewReader(app.URL, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	f := func(host string, isSent bool) {
		t.Helper()
		seen = ""
		_, _, _, err := reader.Get(t.Context(), host, "/")
		if (err == nil) != isSent || isSent && seen != host {
			t.Errorf("the Host %q: the app got %q, %v", host, seen, err)
		}
	}
	f("survey.example.org", true)
	f("survey.example.org:8080", true)
	f("[::1]:8080", true)
	f("x\x80", false)
	f("x@y", false)
	f("x/y", false)
	f("x y", false)
	f("é.example.org", false)
}
