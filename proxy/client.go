package proxy

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// errDetached ends reading through fasthttp's buffer.
var errDetached = errors.New("the connection is read directly now")

// clientConn is a participant's connection. fasthttp's server reads requests
// from it and writes responses to it, but the exchange has written the real
// response already: what fasthttp writes after an exchange is dropped.
type clientConn struct {
	*net.TCPConn
	socket socket
	// participant is the address that a trusted proxy gave, nil without one.
	participant net.Addr
	// bodyWaiter is called before a read of a request's body that may block; nil outside of a body.
	bodyWaiter interface{ beforeWait() }
	// incoming is what is known of the request that is being read.
	incoming
	// detached makes reads fail with errDetached: fasthttp has to return what it
	// has buffered, and the rest is read without it.
	detached bool
	// dropNextWrite is set when the exchange has sent a response: the next write is fasthttp's.
	dropNextWrite bool
	// used is set once the participant has sent something.
	used atomic.Bool
	// idle is set while there is no request. Whoever clears it owns the
	// connection: the next request, or a shutdown.
	idle atomic.Bool
	// parking is set while fasthttp has to release its buffers, and not the connection.
	parking bool
	// loop is whether the other end is a connection of ours to the app.
	loop loopState
	// tooLate is set when a request came after a shutdown had claimed the connection.
	tooLate bool
	// headerTimeout and idleTimeout are those of Config.
	headerTimeout, idleTimeout  time.Duration
	readDeadline, writeDeadline lazyDeadline
}

// incoming is how far a request has been read from a connection. Its zero value is
// that of the next one.
type incoming struct {
	// headLimited is set once the head has a deadline.
	headLimited bool
	head        headScan
	firstByte   firstByte
	// expectsContinue is set if the body comes after 100 Continue.
	expectsContinue bool
}

// loopState is what is known of where a participant's connection comes from.
type loopState int

const (
	loopUnknown loopState = iota
	noLoop
	isLoop
)

// String returns the name of the state.
func (s loopState) String() string { return [...]string{"unknown", "no loop", "loop"}[s] }

// newClientConn wraps an accepted connection.
func newClientConn(conn *net.TCPConn, config *Config) (*clientConn, error) {
	c := &clientConn{TCPConn: conn, headerTimeout: config.HeaderTimeout, idleTimeout: config.IdleTimeout}
	return c, c.socket.open(conn)
}

// RemoteAddr returns the participant's address, as far as it is known.
func (c *clientConn) RemoteAddr() net.Addr {
	if c.participant != nil {
		return c.participant
	}
	return c.TCPConn.RemoteAddr()
}

// Read implements io.Reader, for fasthttp.
func (c *clientConn) Read(p []byte) (int, error) {
	if c.detached {
		return 0, errDetached
	}
	if c.firstByte == byteAwaited {
		return c.readFirst(p)
	}
	if c.bodyWaiter != nil {
		c.bodyWaiter.beforeWait()
	} else {
		c.limitRead()
	}
	if c.isWaiting() {
		return c.readNext(p)
	}
	n, err := c.socket.read(p)
	if c.bodyWaiter == nil && err == nil {
		err = c.head.add(p[:n])
	}
	if n > 0 && !c.used.Load() {
		c.used.Store(true)
	}
	return n, err
}

// readNext reads what comes of the next request. If it is not here yet, fasthttp has to
// release its buffers first, which it does at the end of a connection.
func (c *clientConn) readNext(p []byte) (int, error) {
	n, err := c.socket.readNow(p)
	c.parking = errors.Is(err, errWouldBlock)
	if err == nil && c.head.add(p[:n]) != nil {
		return n, errBareLF
	}
	if err != nil {
		err = io.EOF // whatever it was, there is nothing to respond to
	}
	return n, err
}

// isWaiting reports whether there is no request, and was one before.
func (c *clientConn) isWaiting() bool { return c.idle.Load() && c.used.Load() }

// awaitRequest waits for the next request, or for the end.
func (c *clientConn) awaitRequest() error {
	c.limitRead()
	return c.socket.await()
}

// Close implements net.Conn. fasthttp closes a connection when it has released its
// buffers, and then one that is parking stays open.
func (c *clientConn) Close() error {
	if c.parking {
		return nil
	}
	return c.TCPConn.Close()
}

// limitRead limits the wait for a request, or for the rest of its head. A new
// connection has to send a head from the start.
func (c *clientConn) limitRead() {
	switch {
	case c.isWaiting():
		c.headLimited = false
		if deadline, moved := c.readDeadline.extend(c.idleTimeout); moved {
			c.TCPConn.SetReadDeadline(deadline)
		}
	case !c.headLimited:
		c.headLimited = true
		c.SetReadDeadline(time.Now().Add(c.headerTimeout))
	}
}

// SetReadDeadline sets the deadline of reads until limitRead moves it.
func (c *clientConn) SetReadDeadline(t time.Time) error {
	c.readDeadline.forget()
	return c.TCPConn.SetReadDeadline(t)
}

// Write implements io.Writer, for fasthttp, unless the exchange has sent a response.
func (c *clientConn) Write(p []byte) (int, error) {
	if c.dropNextWrite {
		c.dropNextWrite = false
		return len(p), nil
	}
	return c.send(p)
}

// SetWriteDeadline does nothing: send sets its own.
func (c *clientConn) SetWriteDeadline(time.Time) error { return nil }

// send writes all of p before its deadline, or fails.
func (c *clientConn) send(p []byte) (int, error) {
	if deadline, moved := c.writeDeadline.extend(transferIdleTimeout); moved {
		c.TCPConn.SetWriteDeadline(deadline)
	}
	return c.socket.write(p)
}

// await blocks until there is something to read, or the end.
func (c *clientConn) await() error { return c.socket.await() }

// discard half-closes the connection and reads what the participant still
// sends: a close would reset the connection before the response was read (RFC
// 9112 section 9.6). It ends when nothing has come for the duration of silence,
// and at the latest at the time end.
func (c *clientConn) discard(silence time.Duration, end time.Time) {
	c.CloseWrite()
	buf := make([]byte, 16<<10)
	for {
		deadline := time.Now().Add(silence)
		if end.Before(deadline) {
			deadline = end
		}
		c.SetReadDeadline(deadline)
		if _, err := c.TCPConn.Read(buf); err != nil {
			return
		}
	}
}
