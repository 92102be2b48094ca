package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Access is who may use the console.
type Access struct {
	// IsLocal reports whether a request comes from somebody on this machine, who
	// needs no token.
	IsLocal func(*http.Request) bool
	// IsToken reports whether a text is the admin_token, and HasToken whether there is one.
	IsToken  func(string) bool
	HasToken func() bool
	// NoteWrongToken logs that a request has a text that is not the admin_token.
	NoteWrongToken func(*http.Request)
}

// guarded admits only requests from this machine, or with the token.
func (a *Admin) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case given && a.isToken(token):
			next(w, Admit(r, func() bool { return a.isToken(token) }))
		case !given && isLocal(r):
			next(w, Admit(r, func() bool { return true }))
		case given:
			a.noteWrongToken(r)
			http.Error(w, "wrong admin_token", http.StatusUnauthorized)
		default:
			http.Error(w, "this needs a request from loopback, or the admin_token (Authorization: Bearer ...)", http.StatusForbidden)
		}
	}
}

type admissionKey struct{}

// Admit returns a request of somebody who may use the API as long as still reports
// so. Their connection is closed after those of everybody else.
func Admit(r *http.Request, still func() bool) *http.Request {
	setConnState(r, connAuthorized)
	return r.WithContext(context.WithValue(r.Context(), admissionKey{}, still))
}

// isAdmitted reports whether whoever sent a request may still use the API.
func isAdmitted(r *http.Request) bool {
	still, ok := r.Context().Value(admissionKey{}).(func() bool)
	return ok && still()
}

// isToken compares digests, so that timing reveals nothing about the token.
func (a *Admin) isToken(given string) bool {
	if !a.hasToken() {
		return false
	}
	token := a.current.Load().AdminToken
	want, have := sha256.Sum256([]byte(token.Reveal())), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], have[:]) == 1
}

// noteWrongToken logs, at most once a minute, that somebody has a wrong token.
func (a *Admin) noteWrongToken(r *http.Request) {
	a.warnToken.Do(func() { a.config.Logger.Warn("somebody used a wrong admin_token", "address", r.RemoteAddr) })
}

func (a *Admin) hasToken() bool { return !a.current.Load().AdminToken.IsZero() }

// isLocal reports whether a request comes from somebody on this machine. One that
// a proxy here forwards does not, nor one made by a page in a browser: it has
// another host (DNS rebinding), an origin or another site. The app's own pages
// count as another site even where their host is localhost too.
func isLocal(r *http.Request) bool {
	return isHere(r) && !isFromPage(r)
}

// isLocalPage is isLocal for the console, whose own pages make requests, too.
func isLocalPage(r *http.Request) bool { return isHere(r) && IsOwnPage(r) }

// isHere reports whether a request comes from this machine, to it by name, and past no proxy.
func isHere(r *http.Request) bool {
	return isLoopback(r.RemoteAddr) && isLoopback(r.Host) && !isForwarded(r)
}

// IsOwnPage reports whether a request was made by a page of this listener, or by no
// page at all: an address typed by hand, or a client that is no browser.
func IsOwnPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	from, err := url.Parse(origin)
	return err == nil && from.Host != "" && strings.EqualFold(from.Host, r.Host)
}

// isForwarded reports whether a proxy forwards the request: it has a header that
// proxies add, with whatever value, or comes in HTTP/1.0. That is how nginx
// forwards by default, without a header, and hardly anybody else speaks it.
func isForwarded(r *http.Request) bool {
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded") || name == "Forwarded" || name == "Via" || name == "X-Real-Ip" {
			return true
		}
	}
	return !r.ProtoAtLeast(1, 1)
}

// isFromPage reports whether a page in a browser made the request. It relies on
// headers that browsers always send and other clients never do. For an address
// typed by hand the site is "none".
func isFromPage(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return r.Header.Get("Origin") != "" || site == "cross-site" || site == "same-site"
}

// isLoopback reports whether "host" or "host:port" is a loopback address or localhost.
func isLoopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = strings.Trim(hostPort, "[]")
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}
