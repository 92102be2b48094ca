package admin

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// connState is what an operator's connection does.
type connState int

const (
	// connWaiting: there is no request, or not the whole head of one.
	connWaiting connState = iota
	// connServing: a request is served that anybody may make.
	connServing
	// connAuthorized: a request of an operator is served.
	connAuthorized
)

// String implements fmt.Stringer.
func (s connState) String() string {
	return [...]string{"waiting", "serving", "authorized"}[s]
}

// connections bounds how many connections are open at once. Nobody waits for a
// place: when there is none, the connection that has waited longest for a request
// is closed, or else the one whose request has been served longest, and that of
// an operator only if there are no others. So a probe is served however many
// connections idle or send slowly. Peers on this machine have places of their
// own, which nobody else can take.
type connections struct {
	net.Listener
	mu            sync.Mutex
	local, remote share
}

// share is the connections of one kind of peers.
type share struct {
	places int
	open   map[*conn]struct{}
}

// newConnections bounds those that listener accepts.
func newConnections(listener net.Listener, local, remote int) *connections {
	return &connections{
		Listener: listener,
		local:    share{local, map[*conn]struct{}{}},
		remote:   share{remote, map[*conn]struct{}{}},
	}
}

// Accept implements net.Listener.
func (c *connections) Accept() (net.Conn, error) {
	accepted, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	opened := &conn{Conn: accepted, all: c, share: &c.remote, since: time.Now()}
	if isLoopback(accepted.RemoteAddr().String()) {
		opened.share = &c.local
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	opened.share.add(opened)
	return opened, nil
}

// add gives c a place, and closes the connection that had it, if any.
func (s *share) add(c *conn) {
	if len(s.open) >= s.places {
		first := s.first()
		delete(s.open, first)
		first.Conn.Close()
	}
	s.open[c] = struct{}{}
}

// first returns the connection to be closed before all others.
func (s *share) first() (found *conn) {
	for c := range s.open {
		if found == nil || c.goesBefore(found) {
			found = c
		}
	}
	return found
}

// conn is an operator's connection.
type conn struct {
	net.Conn
	all   *connections
	share *share
	// state and since, the time of its last change, are guarded by all.mu.
	state connState
	since time.Time
}

// goesBefore reports whether c is to be closed rather than other.
func (c *conn) goesBefore(other *conn) bool {
	if c.state != other.state {
		return c.state < other.state
	}
	return c.since.Before(other.since)
}

func (c *conn) setState(s connState) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.state, c.since = s, time.Now()
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.all.mu.Lock()
	delete(c.share.open, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

type connKey struct{}

// withConn lets requests of a connection find it; it is for http.Server.ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// setConnState notes what the connection of a request does.
func setConnState(r *http.Request, s connState) {
	if c, ok := r.Context().Value(connKey{}).(*conn); ok {
		c.setState(s)
	}
}

// serving notes on its connection that a request is served.
func serving(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setConnState(r, connServing)
		defer setConnState(r, connWaiting)
		next.ServeHTTP(w, r)
	})
}
