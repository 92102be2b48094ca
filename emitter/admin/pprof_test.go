package admin

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules/config"
)

func TestProfilesAreForLoopbackIfTheConfigurationAllowsThem(t *testing.T) {
	s := newServer(t)
	f := func(isAllowed bool, path string, edit func(*http.Request), status int, want string) {
		t.Helper()
		s.Apply(&config.Config{AdminPprof: isAllowed, AdminToken: config.NewSecret(canary)})
		if got, body := s.request("GET", path, edit); got != status || !strings.Contains(body, want) {
			t.Errorf("allowed %v, %s: %d %q, want %d and %q", isAllowed, path, got, body, status, want)
		}
	}
	f(false, "/debug/pprof/goroutine?debug=1", nil, 404, "")
	f(true, "/debug/pprof/goroutine?debug=1", nil, 200, "goroutine profile: total")
	f(true, "/debug/pprof/", nil, 200, "heap")
	f(true, "/debug/pprof/cmdline", nil, 404, "")
	f(true, "/debug/pprof/heap", func(r *http.Request) { r.Host = "rebound.example.org" }, 403, "loopback")
	f(true, "/debug/pprof/heap", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") }, 403, "loopback")
	f(true, "/debug/pprof/heap", func(r *http.Request) { r.Header.Set("Origin", "http://localhost:8080") }, 403, "loopback")
	f(true, "/debug/pprof/heap", func(r *http.Request) {
		r.Host = "sidehook.example.org"
		r.Header.Set("Authorization", "Bearer "+canary)
	}, 403, "loopback")
}
