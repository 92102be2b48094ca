package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/sidehook/sidehook/rules/check"
)

// port opens an address for a moment. admin is that of the operators' listener, by
// which a sidehook that runs already is recognized.
func port(ctx context.Context, key, address, admin string) check.Finding {
	what := key + " " + address
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		_ = listener.Close()
		return good(what, "free")
	case errors.Is(err, syscall.EADDRINUSE) && isSidehook(ctx, admin):
		return doubtful(what, "held while a sidehook runs here", "stop that one first, or give this one another "+key)
	case errors.Is(err, syscall.EADDRINUSE):
		return bad(what, "another process holds it", "stop that one, or choose another "+key)
	case errors.Is(err, syscall.EACCES):
		return bad(what, "this user may not open it", "choose a port from 1024 on")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return bad(what, "this machine has no such address", "leave the host out, or choose another "+key)
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		err = operation.Err
	}
	return bad(what, "it cannot be opened: "+err.Error(), "choose another "+key)
}

// isSidehook reports whether a sidehook serves operators at an address.
func isSidehook(ctx context.Context, admin string) bool {
	host, number, err := net.SplitHostPort(admin)
	if err != nil {
		return false
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, number)+"/metrics", nil)
	if err != nil {
		return false
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return strings.Contains(string(text), "sidehook_")
}
