package proxy

import (
	"context"
	"net"
	"sync"
	"time"
)

// pool keeps idle connections to the app for reuse, last in, first out.
type pool struct {
	app    app
	window time.Duration
	// limit is how many connections there may be for an idle one to be kept: a new
	// one takes its place. Those in use are never more than participants.
	limit int
	// ctx is canceled to end attempts to connect.
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	idle   []*appConn // oldest first
	open   map[*appConn]struct{}
	ends   map[ends]struct{} // those of the open ones
	closed bool
	reaper *time.Timer
}

// ends are the addresses of a connection, seen from who opened it.
type ends struct{ local, remote string }

func newPool(app app, window time.Duration, limit int) *pool {
	ctx, cancel := context.WithCancel(context.Background())
	return &pool{app: app, window: window, limit: limit, ctx: ctx, cancel: cancel, open: map[*appConn]struct{}{}, ends: map[ends]struct{}{}}
}

// get returns an idle connection that is still usable, or else a new one.
func (p *pool) get() (*appConn, error) {
	for {
		conn := p.pop()
		if conn == nil {
			return p.dial()
		}
		if conn.isIdle() {
			return conn, nil
		}
		p.drop(conn)
	}
}

// dial returns a new connection.
func (p *pool) dial() (*appConn, error) {
	p.makeRoom()
	conn, err := p.app.dialWithin(p.ctx, p.window)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		conn.Close()
		return nil, context.Canceled
	}
	p.open[conn] = struct{}{}
	p.ends[ends{conn.LocalAddr().String(), conn.RemoteAddr().String()}] = struct{}{}
	return conn, nil
}

// forget removes a connection that is being closed. The caller has locked p.
func (p *pool) forget(conn *appConn) {
	delete(p.open, conn)
	delete(p.ends, ends{conn.LocalAddr().String(), conn.RemoteAddr().String()})
}

// hasOtherEndOf reports whether a connection was accepted here that the pool has
// opened. Only both addresses tell: a port may serve connections to several others.
func (p *pool) hasOtherEndOf(accepted net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.ends[ends{accepted.RemoteAddr().String(), accepted.LocalAddr().String()}]
	return ok
}

// put returns a connection that is ready for another request.
func (p *pool) put(conn *appConn) {
	conn.reused, conn.idleSince = true, clock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		conn.Close()
		p.forget(conn)
		return
	}
	p.idle = append(p.idle, conn)
	if p.reaper == nil {
		p.reaper = time.AfterFunc(keepIdle, p.reap)
	}
}

// drop closes a connection that must not be reused.
func (p *pool) drop(conn *appConn) {
	conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(conn)
}

// close closes idle connections now and others when they are returned; with
// force, it closes those in use, too, and ends attempts to connect.
func (p *pool) close(force bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.reaper != nil {
		p.reaper.Stop()
	}
	for _, conn := range p.idle {
		conn.Close()
		p.forget(conn)
	}
	p.idle = nil
	if !force {
		return
	}
	p.cancel()
	for conn := range p.open {
		conn.Close()
	}
}

// makeRoom closes the connection that has been idle longest if another one would
// be too many.
func (p *pool) makeRoom() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) < p.limit || len(p.idle) == 0 {
		return
	}
	p.idle[0].Close()
	p.forget(p.idle[0])
	p.idle = append(p.idle[:0:0], p.idle[1:]...)
}

func (p *pool) pop() *appConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	conn := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return conn
}

// reap closes connections that have been idle for keepIdle.
func (p *pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaper = nil
	if p.closed {
		return
	}
	limit, stale := clock()-keepIdle, 0
	for ; stale < len(p.idle) && p.idle[stale].idleSince < limit; stale++ {
		p.idle[stale].Close()
		p.forget(p.idle[stale])
	}
	p.idle = append(p.idle[:0:0], p.idle[stale:]...)
	if len(p.idle) > 0 {
		p.reaper = time.AfterFunc(p.idle[0].idleSince+keepIdle+time.Millisecond-clock(), p.reap)
	}
}
