package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"
	"time"
)

// The waits between two tries to connect to the app.
const (
	firstDialWait = 25 * time.Millisecond
	maxDialWait   = 250 * time.Millisecond
)

// app is where the app listens.
type app struct{ network, address string }

// appConn is a connection to the app.
type appConn struct {
	net.Conn
	// reused is set when an exchange has used the connection before.
	reused bool
	// idleSince is when it was given back.
	idleSince time.Time
	till      writeBound
	raw       syscall.RawConn
	look      func(fd uintptr)
	seen      peerState
}

// parseApp reads http://host:port or unix:/path.
func parseApp(text string) (app, error) {
	u, err := url.Parse(text)
	if err != nil { // which would quote the text, and that may hold a password
		return app{}, errors.New("cannot read the address of app: must be http://host:port or unix:/path")
	}
	path := u.EscapedPath()
	switch {
	case u.Scheme == "unix" && u.Host == "" && u.Path != "":
		return app{"unix", u.Path}, nil
	case u.Scheme == "http" && u.Hostname() != "" && (path == "" || path == "/") && u.RawQuery == "" && u.User == nil:
		port := u.Port()
		if port == "" {
			port = "80"
		}
		return app{"tcp", net.JoinHostPort(u.Hostname(), port)}, nil
	}
	return app{}, fmt.Errorf("cannot use app %q: must be http://host:port or unix:/path", u.Redacted())
}

// dial connects once.
func (a app) dial(ctx context.Context) (*appConn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, a.network, a.address)
	if err != nil {
		return nil, err
	}
	return newAppConn(conn)
}

// dialWithin connects, again and again until the window has passed: the app
// may be starting.
func (a app) dialWithin(ctx context.Context, window time.Duration) (*appConn, error) {
	ctx, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	for wait := firstDialWait; ; wait = min(2*wait, maxDialWait) {
		conn, err := a.dial(ctx)
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("cannot connect to the app within %v: %w", window, err)
		case <-time.After(wait):
		}
	}
}

func newAppConn(conn net.Conn) (*appConn, error) {
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		conn.Close()
		return nil, err
	}
	c := &appConn{Conn: conn, raw: raw}
	c.look = func(fd uintptr) { c.seen = peek(fd) }
	return c, nil
}

// isQuiet tells whether the app holds the connection open and has said nothing
// that was not asked for.
func (c *appConn) isQuiet() bool {
	return c.raw.Control(c.look) == nil && c.seen == peerQuiet
}

// awaitEnd returns true when the app has closed the connection, or its half of
// it; false when it says something, or the read deadline passed.
func (c *appConn) awaitEnd() bool { return awaitEnd(c.raw) }

// send writes to the app.
func (c *appConn) send(p []byte) (int, error) {
	c.till.extend(c.Conn)
	return c.Write(p)
}

// SyscallConn gives access to the socket.
func (c *appConn) SyscallConn() (syscall.RawConn, error) { return c.raw, nil }

// CloseWrite tells the app that nothing more will be sent.
func (c *appConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}
