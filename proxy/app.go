package proxy

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// The backoff between two attempts to connect to the app.
const (
	firstDialWait = 25 * time.Millisecond
	maxDialWait   = 250 * time.Millisecond
)

// appForms are the accepted forms of the app's address.
const appForms = "http://host:port, https://host:port or unix:/path"

// app is where the app listens.
type app struct {
	network, address string
	// secure is the TLS configuration; nil for plain HTTP.
	secure *tls.Config
}

// parseApp parses an address of one of appForms. config applies to https only.
func parseApp(text string, config *tls.Config) (app, error) {
	u, err := url.Parse(text)
	if err != nil { // which would quote the text, and with it a password
		return app{}, errors.New("cannot parse the address of app: must be " + appForms)
	}
	path := u.EscapedPath()
	isHost := u.Hostname() != "" && (path == "" || path == "/") && u.RawQuery == "" && u.User == nil
	switch {
	case u.Scheme == "unix" && u.Host == "" && u.Path != "":
		return app{network: "unix", address: u.Path}, nil
	case u.Scheme == "http" && isHost:
		return app{network: "tcp", address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80"))}, nil
	case u.Scheme == "https" && isHost:
		address := net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443"))
		return app{network: "tcp", address: address, secure: withHost(config, u.Hostname())}, nil
	}
	return app{}, fmt.Errorf("cannot use app %q: must be "+appForms, u.Redacted())
}

// host returns the Host of requests that name none.
func (a app) host() string {
	defaultPort := "80"
	if a.secure != nil {
		defaultPort = "443"
	}
	host, port, err := net.SplitHostPort(a.address)
	switch {
	case err != nil: // a path
		return "localhost"
	case port != defaultPort:
		return a.address
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}

// dial makes one attempt to connect, TLS handshake included.
func (a app) dial(ctx context.Context) (*appConn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, a.network, a.address)
	if err != nil {
		return nil, err
	}
	transport, err := a.transportOver(ctx, conn.(streamConn))
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &appConn{transport: transport}, nil
}

// dialWithin retries until window has passed, since the app may be starting.
// Errors that retrying can't mend, such as a bad certificate, end it at once.
func (a app) dialWithin(ctx context.Context, window time.Duration) (*appConn, error) {
	return dialInWindows(ctx, window, a.dial)
}

// dialInWindows is dialWithin for a function that dials. If it took much longer than the
// window, this process stood still meanwhile, as that of a paused container does: the app
// gets another window.
func dialInWindows(ctx context.Context, window time.Duration, dial func(context.Context) (*appConn, error)) (*appConn, error) {
	began := time.Now()
	conn, err := retryDial(ctx, window, dial)
	if stoodStill := time.Since(began) > 2*window; err == nil || errors.Is(err, errTLS) || ctx.Err() != nil || !stoodStill {
		return conn, err
	}
	return retryDial(ctx, window, dial)
}

func retryDial(ctx context.Context, window time.Duration, dial func(context.Context) (*appConn, error)) (*appConn, error) {
	ctx, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	for wait := firstDialWait; ; wait = min(2*wait, maxDialWait) {
		conn, err := dial(ctx)
		if err == nil || errors.Is(err, errTLS) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("cannot connect to the app within %v: %w", window, err)
		case <-time.After(wait):
		}
	}
}

func (a app) transportOver(ctx context.Context, conn streamConn) (transport, error) {
	plain, err := newPlainConn(conn)
	if err != nil || a.secure == nil {
		return plain, err
	}
	return newTLSConn(ctx, plain, a.secure)
}
