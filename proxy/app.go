package proxy

import (
	"cmp"
	"context"
	"crypto/tls"
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

// appForms are the forms of the app's address.
const appForms = "http://host:port, https://host:port or unix:/path"

// app is where the app listens.
type app struct {
	network, address string
	// secure is how TLS is spoken with it; nil for plain HTTP.
	secure *tls.Config
}

// appConn is a connection to the app.
type appConn struct {
	net.Conn
	// reused is set when an exchange has used the connection before.
	reused bool
	// idleSince is when it was given back, by clock.
	idleSince         time.Duration
	mayRead, mayWrite bound
	socket            socket
	beneath           *beneathTLS // nil for plain HTTP
}

// parseApp reads http://host:port, https://host:port or unix:/path. An app at
// https:// is spoken to as config says.
func parseApp(text string, config *tls.Config) (app, error) {
	u, err := url.Parse(text)
	if err != nil { // which would quote the text, and that may hold a password
		return app{}, errors.New("cannot read the address of app: must be " + appForms)
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

// dial connects once, TLS included.
func (a app) dial(ctx context.Context) (*appConn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, a.network, a.address)
	if err != nil {
		return nil, err
	}
	c, err := newAppConn(conn)
	if err != nil || a.secure == nil {
		return c, err
	}
	if err := c.secure(ctx, a.secure); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// dialWithin connects, again and again until the window has passed: the app
// may be starting. What waiting can't mend, such as a certificate, ends it at once.
func (a app) dialWithin(ctx context.Context, window time.Duration) (*appConn, error) {
	ctx, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	for wait := firstDialWait; ; wait = min(2*wait, maxDialWait) {
		conn, err := a.dial(ctx)
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

func newAppConn(conn net.Conn) (*appConn, error) {
	c := &appConn{Conn: conn}
	if err := c.socket.open(conn.(syscall.Conn)); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// isQuiet tells whether the app holds the connection open and has said nothing
// that was not asked for.
func (c *appConn) isQuiet() bool {
	if c.beneath != nil {
		return c.isQuietTLS()
	}
	return c.socket.state() == peerQuiet
}

// awaitEnd returns true when the app has closed the connection, or its half of
// it; false when it says something, or the read deadline passed.
func (c *appConn) awaitEnd() bool {
	if c.beneath != nil {
		return c.awaitEndTLS()
	}
	return c.socket.awaitEnd()
}

// Read reads from the app.
func (c *appConn) Read(p []byte) (int, error) {
	if c.beneath != nil {
		return c.Conn.Read(p)
	}
	return c.socket.read(p)
}

// send writes to the app.
func (c *appConn) send(p []byte) (int, error) {
	c.boundWrite()
	if c.beneath != nil {
		return c.Write(p)
	}
	return c.socket.write(p)
}

// ask sends the end of a request, and waits for a moment until the answer comes:
// by then, reading finds it without having to look for it first.
func (c *appConn) ask(p []byte) (int, error) {
	if c.beneath != nil {
		return c.send(p)
	}
	c.boundWrite()
	c.boundLook()
	n, err := c.socket.writeAndAwait(p)
	if err != nil || n == len(p) {
		return n, err
	}
	more, err := c.send(p[n:])
	return n + more, err
}

// boundLook ends reads soon, so that somebody can look after the participant.
func (c *appConn) boundLook() {
	if till, moves := c.mayRead.extend(watchDelay); moves {
		c.Conn.SetReadDeadline(till)
	}
}

// boundWrite makes sure that a write ends.
func (c *appConn) boundWrite() {
	if till, moves := c.mayWrite.extend(transferIdleTimeout); moves {
		c.SetWriteDeadline(till)
	}
}

// SetReadDeadline ends reads at t, until boundLook moves it.
func (c *appConn) SetReadDeadline(t time.Time) error {
	c.mayRead.forget()
	return c.Conn.SetReadDeadline(t)
}

// await waits until there is something to read, or the end. With TLS it does
// not: something may have been read ahead, and reading waits, too.
func (c *appConn) await() error {
	if c.beneath != nil {
		return nil
	}
	return c.socket.await()
}

// CloseWrite tells the app that nothing more will be sent; in TLS, by close_notify.
func (c *appConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}
