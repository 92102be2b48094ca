package proxy

import (
	"net"
	"syscall"
	"time"
)

// appConn is a connection to the app. It adds deadlines to a transport.
type appConn struct {
	transport
	// reused is set once an exchange has used the connection.
	reused bool
	// idleSince is when it was last returned to the pool, by clock.
	idleSince time.Duration

	readDeadline, writeDeadline lazyDeadline
}

// transport is a connection to the app in plain HTTP or in TLS: *plainConn or
// *tlsConn.
type transport interface {
	net.Conn
	// CloseWrite ends the stream to the app; in TLS, by close_notify.
	CloseWrite() error
	// isIdle reports whether the app keeps the connection open and has sent
	// nothing since its last response. It does not block.
	isIdle() bool
	// awaitEnd blocks until the app closes the connection, or its half of it,
	// and reports whether it did; false when the app sends something instead,
	// or the read deadline has passed.
	awaitEnd() bool
	// await may block until there is something to read, or the app has closed,
	// so that no read buffer has to be held meanwhile.
	await() error
	// writeAndAwait writes, and may then block until there is something to read
	// or the read deadline has passed, so that the next read succeeds at the
	// first attempt. It may write less than p without an error.
	writeAndAwait(p []byte) (int, error)
}

// streamConn is a *net.TCPConn or *net.UnixConn.
type streamConn interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// plainConn is the transport of plain HTTP.
type plainConn struct {
	streamConn
	socket
}

func newPlainConn(conn streamConn) (*plainConn, error) {
	c := &plainConn{streamConn: conn}
	return c, c.open(conn)
}

// send writes all of p, or fails.
func (c *appConn) send(p []byte) (int, error) {
	c.limitWrite()
	return c.Write(p)
}

// sendLast sends the end of a request and waits a moment for the response to begin.
// A read that finds the response there saves the system call that finds nothing.
func (c *appConn) sendLast(p []byte) (int, error) {
	c.limitWrite()
	c.limitRead()
	n, err := c.writeAndAwait(p)
	if err != nil || n == len(p) {
		return n, err
	}
	more, err := c.send(p[n:])
	return n + more, err
}

// limitRead limits reads to watchDelay, so that the caller gets to watch the
// participant meanwhile.
func (c *appConn) limitRead() {
	if deadline, moved := c.readDeadline.extend(watchDelay); moved {
		c.transport.SetReadDeadline(deadline)
	}
}

// limitWrite limits a write to transferIdleTimeout.
func (c *appConn) limitWrite() {
	if deadline, moved := c.writeDeadline.extend(transferIdleTimeout); moved {
		c.SetWriteDeadline(deadline)
	}
}

// SetReadDeadline sets the deadline of reads until limitRead moves it.
func (c *appConn) SetReadDeadline(t time.Time) error {
	c.readDeadline.forget()
	return c.transport.SetReadDeadline(t)
}

// Read implements io.Reader.
func (c *plainConn) Read(p []byte) (int, error) { return c.read(p) }

// Write implements io.Writer.
func (c *plainConn) Write(p []byte) (int, error) { return c.write(p) }

func (c *plainConn) isIdle() bool { return c.state() == peerIdle }
