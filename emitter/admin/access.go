package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guarded lets only those in who may see what became of deliveries.
func (a *Admin) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case given && a.isToken(token), !given && isLocal(r):
			next(w, r)
		case given:
			http.Error(w, "this is not the admin_token", http.StatusUnauthorized)
		default:
			http.Error(w, "only loopback may ask this, or whoever has the admin_token (Authorization: Bearer ...)", http.StatusForbidden)
		}
	}
}

// isToken compares digests, so that the time it takes tells nothing of the token.
func (a *Admin) isToken(given string) bool {
	token := a.token.Load()
	if token.IsZero() {
		return false
	}
	want, have := sha256.Sum256([]byte(token.Reveal())), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], have[:]) == 1
}

// isLocal tells a request of somebody on this machine from one that a proxy here
// hands on, or that a page in their browser makes: that one names another host
// (DNS rebinding), an origin or another site. The app's own pages are another
// site too, though their host may be localhost as well.
func isLocal(r *http.Request) bool {
	return isLoopback(r.RemoteAddr) && isLoopback(r.Host) && !isHandedOn(r) && !isOfAPage(r)
}

func isHandedOn(r *http.Request) bool {
	return r.Header.Get("Forwarded") != "" || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Via") != ""
}

// isOfAPage goes by what all browsers send of themselves, and nothing else does.
// An address typed by hand has site "none".
func isOfAPage(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return r.Header.Get("Origin") != "" || site == "cross-site" || site == "same-site"
}

// isLoopback tells whether "host" or "host:port" is this machine by its loopback name or address.
func isLoopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = strings.Trim(hostPort, "[]")
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}
