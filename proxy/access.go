package proxy

import (
	"context"
	"log/slog"
	"time"

	"github.com/valyala/fasthttp"
)

// LogAccess begins or ends a log line for each request, also while the proxy serves.
func (p *Proxy) LogAccess(isLogged bool) { p.logsAccess.Store(isLogged) }

// logAccess logs the exchange if that was wanted when it began. It shows nothing that
// the participant has chosen: neither an unknown method nor a path that the proxy's
// configuration has not made presentable.
func (e *exchange) logAccess() {
	if e.began.IsZero() {
		return
	}
	path := ""
	if show := e.proxy.config.ShowPath; show != nil && len(e.request.target) > 0 {
		path = show(e.request.origin())
	}
	e.proxy.config.Logger.LogAttrs(context.Background(), slog.LevelInfo, "request",
		slog.String("method", knownMethod(e.request.method)), slog.String("path", path),
		slog.Int("status", e.response.sentStatus()), slog.Int64("bytes", e.response.sent), slog.Duration("duration", time.Since(e.began)),
		slog.String("response", e.response.state.load().String()), slog.Bool("watched", e.watch != nil), slog.String("request", e.requestID()))
}

// sentStatus returns the status that the participant got, 0 for none.
func (r *response) sentStatus() int {
	switch state := r.state.load(); {
	case state == responseReplaced:
		return r.ownStatus
	case state.hasHead():
		return r.head.status
	}
	return 0
}

// requestID returns the id by which the request can be found in logs.
func (p *parties) requestID() string {
	if p.id == "" {
		p.id = requestID(p.ctx.Request.Header.Peek(requestIDField))
	}
	return p.id
}

// knownMethod returns a method of RFC 9110 or RFC 5789, and "other" for any other one.
func knownMethod(method []byte) string {
	switch string(method) {
	case fasthttp.MethodGet, fasthttp.MethodHead, fasthttp.MethodPost, fasthttp.MethodPut, fasthttp.MethodPatch, fasthttp.MethodDelete, fasthttp.MethodOptions, fasthttp.MethodTrace, fasthttp.MethodConnect:
		return string(method)
	}
	return "other"
}
