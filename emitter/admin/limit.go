package admin

import (
	"net"
	"sync"
)

// maxConnections is how many operators can be connected at once. Others wait:
// whoever floods this port must not take the file descriptors of participants.
const maxConnections = 64

// limited is a listener that accepts no more than len(slots) connections at once.
type limited struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

// limitedConn gives its slot back when it is closed.
type limitedConn struct {
	net.Conn
	release func()
}

func limit(listener net.Listener, connections int) net.Listener {
	return &limited{Listener: listener, slots: make(chan struct{}, connections), closed: make(chan struct{})}
}

// Accept waits for a free slot, then for a connection.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	release := sync.OnceFunc(func() { <-l.slots })
	conn, err := l.Listener.Accept()
	if err != nil {
		release()
		return nil, err
	}
	return &limitedConn{Conn: conn, release: release}, nil
}

// Close ends Accept too.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
