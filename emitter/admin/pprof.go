package admin

import (
	"net/http"
	"net/http/pprof"
	"strings"
)

// profiles serves profiles of the process to clients on loopback, if admin_pprof
// allows that. The token does not open it: a profile is for who works on this machine.
func (a *Admin) profiles(w http.ResponseWriter, r *http.Request) {
	switch {
	case !a.current.Load().AdminPprof:
		http.NotFound(w, r)
		return
	case !isLocal(r):
		http.Error(w, "this needs a request from loopback", http.StatusForbidden)
		return
	}
	setConnState(r, connAuthorized)
	switch strings.TrimPrefix(r.URL.Path, "/debug/pprof/") {
	case "profile":
		pprof.Profile(w, r)
	case "trace":
		pprof.Trace(w, r)
	default:
		pprof.Index(w, r)
	}
}
