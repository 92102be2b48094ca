package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Reader asks the app on our own account, beside what participants ask, and only
// ever by GET.
type Reader struct {
	transport *http.Transport
	limit     int64
}

// NewReader makes a Reader of the app at this address, as Config has it. An
// answer of more than limit bytes is an error.
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
	// The scheme is http always: TLS, where it is spoken, is the dialer's.
	return &Reader{limit: int64(limit), transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}}, nil
}

// Get asks for a path, percent-encoded as it is to go out, with this Host. No
// redirect is followed. body is decoded and the caller's.
func (r *Reader) Get(ctx context.Context, host, path string) (status int, contentType string, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://app"+path, nil)
	if err != nil { // which would quote the path, and that may name a participant
		return 0, "", nil, errors.New("cannot ask the app: the path is no URL")
	}
	request.Host = host
	request.Header.Set("Accept", "application/json")
	response, err := r.transport.RoundTrip(request)
	if err != nil {
		return 0, "", nil, fmt.Errorf("cannot ask the app: %w", err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, r.limit+1))
	switch {
	case err != nil:
		return 0, "", nil, fmt.Errorf("cannot read the app's answer: %w", err)
	case int64(len(body)) > r.limit:
		return 0, "", nil, fmt.Errorf("the app answers with more than %d bytes", r.limit)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), body, nil
}
