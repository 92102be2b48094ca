package proxy

import (
	"context"
	"sync"
	"time"
)

// pool keeps connections to the app for reuse, the last used on top. It has no
// limit of its own: there are never more than participants' connections.
type pool struct {
	app    app
	window time.Duration
	// ctx ends when nobody may connect any more.
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	idle   []*appConn
	open   map[*appConn]struct{}
	closed bool
	reaper *time.Timer
}

func newPool(app app, window time.Duration) *pool {
	ctx, cancel := context.WithCancel(context.Background())
	return &pool{app: app, window: window, ctx: ctx, cancel: cancel, open: map[*appConn]struct{}{}}
}

// get returns a kept connection that is alive, or else a new one.
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
	return conn, nil
}

// put keeps a connection that is ready for another request.
func (p *pool) put(conn *appConn) {
	conn.reused, conn.idleSince = true, clock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		conn.Close()
		delete(p.open, conn)
		return
	}
	p.idle = append(p.idle, conn)
	if p.reaper == nil {
		p.reaper = time.AfterFunc(keepIdle, p.reap)
	}
}

// drop closes a connection for good.
func (p *pool) drop(conn *appConn) {
	conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

// close closes the idle connections, and with force those in use.
func (p *pool) close(force bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.reaper != nil {
		p.reaper.Stop()
	}
	for _, conn := range p.idle {
		conn.Close()
		delete(p.open, conn)
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

// reap closes the connections that nobody has used for a while.
func (p *pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaper = nil
	if p.closed {
		return
	}
	oldest, stale := clock()-keepIdle, 0
	for ; stale < len(p.idle) && p.idle[stale].idleSince < oldest; stale++ {
		p.idle[stale].Close()
		delete(p.open, p.idle[stale])
	}
	p.idle = append(p.idle[:0:0], p.idle[stale:]...)
	if len(p.idle) > 0 {
		p.reaper = time.AfterFunc(p.idle[0].idleSince+keepIdle+time.Millisecond-clock(), p.reap)
	}
}
