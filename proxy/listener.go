package proxy

import (
	"errors"
	"net"
	"sync"
	"time"
)

// overloaded is the response to connections beyond Config.Concurrency.
const overloaded = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n" +
	"Content-Type: text/plain\r\nContent-Length: 39\r\n\r\nToo many connections. Please try again."

const (
	// maxRefusing is how many connections at a time get time to read that response,
	// and no more than one for eight that are served; others are closed at once,
	// and may miss it.
	maxRefusing = 64
	// refuseLinger is how long a refused participant has to read it.
	refuseLinger = time.Second
)

// listener accepts connections of participants, up to
// Config.Concurrency.
type listener struct {
	net.Listener
	clients  *clients
	config   *Config
	counters *counters
	warnings *warnings
	refusing chan struct{}  // holds a token for each goroutine of refuse
	wait     sync.WaitGroup // for those goroutines
}

// Accept returns the next connection to serve. Its only error is net.ErrClosed:
// others, such as EMFILE, are temporary and must not end the server.
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

// refuse responds with overloaded.
func (l *listener) refuse(client *clientConn) {
	select {
	case l.refusing <- struct{}{}:
	default:
		_, _ = client.send([]byte(overloaded)) // a new connection has room for it
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
