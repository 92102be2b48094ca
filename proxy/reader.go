package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// errHost is the error of a Host header that names no host. It is a participant's.
var errHost = errors.New("cannot send a request to the app: the participant's Host is not a host")

// Reader sends GET requests of the program's own to the app, beside those of
// participants. It may be used by several goroutines.
type Reader struct {
	transport *http.Transport
	limit     int64
}

// NewReader returns a Reader of the app at address, which is in the form of
// Config.App, with config for TLS as in Config.AppTLS. limit is the longest body
// that Get returns, in bytes.
func NewReader(address string, config *tls.Config, limit int) (*Reader, error) {
	app, err := parseApp(address, config)
	if err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, app.network, app.address)
		if err != nil || app.secure == nil {
			return conn, err
		}
		secured := tls.Client(conn, app.secure)
		if err := secured.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secured, nil
	}
	// The scheme is always http: the dialer adds TLS where it is due.
	return &Reader{limit: int64(limit), transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}}, nil
}

// Get requests a path, which has to be percent-encoded, with this Host. It follows
// no redirect. The body is decoded and belongs to the caller; one that is longer
// than the Reader's limit is an error. No error contains the path, which may name
// a participant.
func (r *Reader) Get(ctx context.Context, host, path string) (status int, contentType string, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://app"+path, nil)
	if err != nil { // it would quote the path
		return 0, "", nil, errors.New("cannot send a request to the app: the path is malformed")
	}
	if !isHost(host) {
		return 0, "", nil, errHost
	}
	request.Host = host
	request.Header.Set("Accept", "application/json")
	response, err := r.transport.RoundTrip(request)
	if err != nil {
		return 0, "", nil, fmt.Errorf("cannot send a request to the app: %w", err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, r.limit+1))
	switch {
	case err != nil:
		return 0, "", nil, fmt.Errorf("cannot read the app's response: %w", err)
	case int64(len(body)) > r.limit:
		return 0, "", nil, fmt.Errorf("the app responds with more than %d bytes", r.limit)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), body, nil
}

// isHost reports whether text is a host and maybe a port, or empty, and in every
// reading the same (RFC 9110 section 7.2).
func isHost(text string) bool {
	u, err := url.Parse("http://" + text)
	return err == nil && u.Host == text && strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) < 0
}
