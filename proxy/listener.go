package proxy

import (
	"errors"
	"net"
	"sync"
	"time"
)

// overloaded is what connections beyond Config.Concurrency get.
const overloaded = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n" +
	"Content-Type: text/plain\r\nContent-Length: 42\r\n\r\nToo many connections. Please try it again."

const (
	// maxRefusing is how many connections are refused politely at a time.
	maxRefusing = 64
	// refuseLinger is how long a refused participant has to read that.
	refuseLinger = time.Second
)

// listener hands connections of participants to fasthttp's server.
type listener struct {
	net.Listener
	clients  *clients
	config   *Config
	counters *counters
	warnings *warnings
	refusing chan struct{}
	wait     sync.WaitGroup
}

// clients knows the connections of participants that are open.
type clients struct {
	mu    sync.Mutex
	open  map[*clientConn]struct{}
	empty chan struct{} // closed when the last one goes; nil unless awaited
}

// Accept returns the next connection that may be served. Being out of file
// descriptors passes; it must not end the process.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil, err
		case err != nil:
			l.warnings.log(warnAccept, "error", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		client, err := newClientConn(conn.(*net.TCPConn), l.config)
		if err != nil {
			conn.Close()
			continue
		}
		if l.clients.len() < l.config.Concurrency {
			return client, nil
		}
		l.counters.overloaded.Add(1)
		l.refuse(client)
	}
}

// refuse tells a participant to come back later.
func (l *listener) refuse(client *clientConn) {
	select {
	case l.refusing <- struct{}{}:
	default:
		client.Close()
		return
	}
	l.wait.Go(func() {
		defer func() { <-l.refusing }()
		defer client.Close()
		_, _ = client.send([]byte(overloaded))
		client.discard(refuseLinger, time.Now().Add(refuseLinger))
	})
}

func (c *clients) add(client *clientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[client] = struct{}{}
}

// remove forgets a connection that nobody serves any more.
func (c *clients) remove(client *clientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, client)
	if len(c.open) == 0 && c.empty != nil {
		close(c.empty)
		c.empty = nil
	}
}

func (c *clients) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// gone is closed when no connection is left.
func (c *clients) gone() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.empty == nil {
		c.empty = make(chan struct{})
	}
	gone := c.empty
	if len(c.open) == 0 {
		close(c.empty)
		c.empty = nil
	}
	return gone
}

// close closes every connection.
func (c *clients) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for client := range c.open {
		client.Close()
	}
}

// closeIdle closes the connections on which no request is, or is about to be read.
func (c *clients) closeIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for client := range c.open {
		if client.idle.Load() && client.socket.state() != peerSpoke && client.idle.CompareAndSwap(true, false) {
			client.Close()
		}
	}
}
