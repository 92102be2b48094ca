package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// errDraining is why a proxy that shuts down is not ready.
var errDraining = errors.New("the proxy is shutting down")

// Proxy passes requests on to the app, and its answers back.
type Proxy struct {
	config    Config
	log       *calmLog
	pool      *pool
	server    *fasthttp.Server
	listener  *listener
	clients   *clients
	exchanges sync.Pool
	counters  counters
	draining  atomic.Bool
	linger    time.Duration // defaultLinger, but in tests
	forwarded forwarding
}

// New makes a Proxy; it fails when Config.App is not an address.
func New(config Config) (*Proxy, error) {
	config = config.withDefaults()
	app, err := parseApp(config.App, config.AppTLS)
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		config:  config,
		log:     newCalmLog(config.Logger),
		pool:    newPool(app, config.DialWindow),
		clients: &clients{open: map[*clientConn]struct{}{}},
		linger:  defaultLinger,

		forwarded: forwarding{config.Forwarded, config.TrustedProxies},
	}
	p.exchanges.New = func() any { return newExchange(p) }
	p.server = &fasthttp.Server{
		Handler:      p.serve,
		ErrorHandler: p.refuse,
		ConnState:    p.connState,
		Logger:       silence{},
		// Bodies are passed on as they come. The limit makes fasthttp wait for
		// one byte of a body, instead of 8 KiB, before it tells us of the request.
		StreamRequestBody:            true,
		MaxRequestBodySize:           1,
		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultDate:                true,
		NoDefaultContentType:         true,
		SecureErrorLogMessage:        true,
		ReadBufferSize:               headLimit,
		LazyRequestTime:              true,
		Concurrency:                  2 * config.Concurrency, // the listener counts; this must never be met
	}
	p.register(config.Metrics)
	return p, nil
}

// Listen opens the participants' listener.
func (p *Proxy) Listen() error {
	l, err := net.Listen("tcp", p.config.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen for participants: %w", err)
	}
	p.listener = &listener{
		Listener: l,
		clients:  p.clients,
		config:   &p.config,
		counters: &p.counters,
		log:      p.log,
		refusing: make(chan struct{}, maxRefusing),
	}
	if address := addressOf(l.Addr()); p.forwarded.isSpoofable() && !address.IsLoopback() {
		p.log.Warn(spoofable, "forwarded", p.forwarded.way)
	}
	return nil
}

// Addr is where participants connect; call Listen first.
func (p *Proxy) Addr() net.Addr { return p.listener.Addr() }

// Serve serves participants until Shutdown; call Listen first.
func (p *Proxy) Serve() error { return p.server.Serve(p.listener) }

// Shutdown stops accepting, closes idle connections, and waits until every
// request and tunnel has ended. When ctx ends first, it closes what is left
// and returns ctx's error. Afterwards nothing of the proxy runs.
func (p *Proxy) Shutdown(ctx context.Context) error {
	p.draining.Store(true)
	if p.listener != nil {
		p.listener.Close()
	}
	err := p.await(ctx)
	if err == nil { // but one more may have been on its way out of the listener
		_ = p.server.ShutdownWithContext(ctx)
		err = p.await(ctx)
	}
	p.pool.close(err != nil)
	if err == nil {
		return nil
	}
	left := p.clients.len()
	p.clients.close()
	force, cancel := context.WithTimeout(context.Background(), forceWait)
	defer cancel()
	_ = p.await(force)
	return fmt.Errorf("cannot wait any longer, %d connections were cut: %w", left, err)
}

// await waits until no connection is served. It closes those that are idle, or
// become so; fasthttp's own shutdown would not look for a request that has come
// and was not read yet.
func (p *Proxy) await(ctx context.Context) error {
	look := time.NewTicker(idleLook)
	defer look.Stop()
	for gone := p.clients.gone(); ; {
		p.clients.closeIdle()
		select {
		case <-gone:
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
			continue
		}
		break
	}
	if p.listener != nil {
		p.listener.wait.Wait() // bounded by refuseLinger
	}
	return nil
}

// Ready tells whether requests can be served: nil, or the reason why not.
func (p *Proxy) Ready(ctx context.Context) error {
	if p.draining.Load() {
		return errDraining
	}
	conn, err := p.pool.app.dial(ctx)
	if err != nil {
		return fmt.Errorf("cannot connect to the app: %w", err)
	}
	conn.Close()
	return nil
}

// serve passes one request on.
func (p *Proxy) serve(ctx *fasthttp.RequestCtx) {
	if ctx.Conn().(*clientConn).taken {
		return // nobody could read the answer, so the app must not get it
	}
	p.counters.requests.Add(1)
	e := p.exchanges.Get().(*exchange)
	defer func() {
		if p.recovered(recover(), "ending a request") {
			ctx.Conn().Close() // whatever it could still say would be wrong
		}
	}()
	e.start(ctx)
	defer e.finish()
	e.run()
}

// refuse answers what fasthttp could not read as a request. A connection that
// was opened ahead of need, and never used, is closed without a word: browsers
// take an answer that they did not ask for as that of their next request.
func (p *Proxy) refuse(ctx *fasthttp.RequestCtx, err error) {
	client := ctx.Conn().(*clientConn)
	client.answered = !client.used.Load()
	var timeout net.Error
	var tooLong *fasthttp.ErrSmallBuffer
	switch {
	case errors.As(err, &tooLong):
		ctx.Error("The request's headers are too long.", fasthttp.StatusRequestHeaderFieldsTooLarge)
	case errors.As(err, &timeout) && timeout.Timeout():
		ctx.Error("The request did not arrive in time.", fasthttp.StatusRequestTimeout)
	default:
		p.counters.refused.Add(1)
		ctx.Error("The request could not be read.", fasthttp.StatusBadRequest)
	}
}

// connState keeps count of the connections that are served. One that became a
// tunnel is counted until the tunnel ends.
func (p *Proxy) connState(conn net.Conn, state fasthttp.ConnState) {
	client := conn.(*clientConn)
	switch state {
	case fasthttp.StateNew:
		client.idle.Store(true)
		p.clients.add(client)
	case fasthttp.StateActive:
		client.taken = !client.idle.CompareAndSwap(true, false)
	case fasthttp.StateIdle:
		client.idle.Store(true)
	case fasthttp.StateClosed:
		p.clients.remove(client)
	}
}
