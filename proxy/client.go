package proxy

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// errDetached ends reading through fasthttp's buffer.
var errDetached = errors.New("the connection is read directly now")

// clientConn is a participant's connection. fasthttp's server reads requests
// from it and believes to write the answers; the exchange has written them
// already, so what fasthttp writes after an exchange is dropped.
type clientConn struct {
	*net.TCPConn
	socket socket
	// bodyWaiter is called before a read of a request's body may block; nil outside of one.
	bodyWaiter interface{ beforeWait() }
	// detached ends what fasthttp reads with errDetached: the rest is read past it.
	detached bool
	// dropNextWrite is set once a response was sent: what fasthttp writes next is its own.
	dropNextWrite bool
	// used is set once the participant has sent something.
	used atomic.Bool
	// idle is set while no request is here. Who unsets it has the connection:
	// a request that came, or a shutdown.
	idle atomic.Bool
	// taken says that a request came too late, when a shutdown had the connection.
	taken bool
	// headerTimeout and idleTimeout are Config's.
	headerTimeout, idleTimeout time.Duration
	// headLimited is set once the arrival of the present head is bounded.
	headLimited       bool
	mayRead, mayWrite bound
}

// newClientConn makes a connection of a participant of an accepted one.
func newClientConn(conn *net.TCPConn, config *Config) (*clientConn, error) {
	c := &clientConn{TCPConn: conn, headerTimeout: config.HeaderTimeout, idleTimeout: config.IdleTimeout}
	return c, c.socket.open(conn)
}

// Read reads from the participant, for fasthttp.
func (c *clientConn) Read(p []byte) (int, error) {
	if c.detached {
		return 0, errDetached
	}
	if c.bodyWaiter != nil {
		c.bodyWaiter.beforeWait()
	} else {
		c.boundRead()
	}
	n, err := c.socket.read(p)
	if n > 0 && !c.used.Load() {
		c.used.Store(true)
	}
	return n, err
}

// boundRead bounds the wait for a request, or for the rest of its head. A new
// connection waits for a head from the beginning.
func (c *clientConn) boundRead() {
	switch isWaiting := c.idle.Load() && c.used.Load(); {
	case isWaiting:
		c.headLimited = false
		if till, moves := c.mayRead.extend(c.idleTimeout); moves {
			c.TCPConn.SetReadDeadline(till)
		}
	case !c.headLimited:
		c.headLimited = true
		c.SetReadDeadline(time.Now().Add(c.headerTimeout))
	}
}

// SetReadDeadline ends reads at t, until a request is waited for.
func (c *clientConn) SetReadDeadline(t time.Time) error {
	c.mayRead.forget()
	return c.TCPConn.SetReadDeadline(t)
}

// Write writes what fasthttp says to the participant, unless the exchange has spoken.
func (c *clientConn) Write(p []byte) (int, error) {
	if c.dropNextWrite {
		c.dropNextWrite = false
		return len(p), nil
	}
	return c.send(p)
}

// SetWriteDeadline does nothing: send sets its own.
func (c *clientConn) SetWriteDeadline(time.Time) error { return nil }

// send writes to the participant.
func (c *clientConn) send(p []byte) (int, error) {
	if till, moves := c.mayWrite.extend(stall); moves {
		c.TCPConn.SetWriteDeadline(till)
	}
	return c.socket.write(p)
}

// await waits until there is something to read, or the end.
func (c *clientConn) await() error { return c.socket.await() }

// discard reads what the participant still sends, so that our close does not
// reset the connection before the answer was read (RFC 9112 section 9.6).
// Silence ends that, and so does till, unless it is zero.
func (c *clientConn) discard(silence time.Duration, till time.Time) {
	c.CloseWrite()
	buf := make([]byte, 16<<10)
	for {
		deadline := time.Now().Add(silence)
		if !till.IsZero() && till.Before(deadline) {
			deadline = till
		}
		c.SetReadDeadline(deadline)
		if _, err := c.TCPConn.Read(buf); err != nil {
			return
		}
	}
}
