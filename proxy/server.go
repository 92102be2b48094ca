package proxy

import (
	"errors"
	"net"

	"github.com/valyala/fasthttp"
)

// newServer returns the fasthttp server that parses heads and keeps connections
// alive. It responds by itself only to what is no request.
func newServer(p *Proxy) *fasthttp.Server {
	return &fasthttp.Server{
		Handler:        p.serve,
		ErrorHandler:   p.refuse,
		ConnState:      p.connState,
		HeaderReceived: headReceived,
		ExpectHandler:  awaitBody,
		Logger:         discardLogger{},
		// Bodies are passed on as they come. The limit makes fasthttp wait for one
		// byte of a body, instead of 8 KiB, before it calls serve.
		StreamRequestBody:            true,
		MaxRequestBodySize:           1,
		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultDate:                true,
		NoDefaultContentType:         true,
		SecureErrorLogMessage:        true,
		ReadBufferSize:               headLimit,
		LazyRequestTime:              true,
		Concurrency:                  2 * p.config.Concurrency, // never reached, since the listener counts
	}
}

// headReceived is fasthttp's HeaderReceived. What is passed on is the raw head, which
// it does not change.
func headReceived(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	announceBody(header)
	if !header.IsHTTP11() && header.ConnectionClose() && wantsToPersist(header.RawHeaders()) {
		header.ResetConnectionClose()
	}
	return fasthttp.RequestConfig{}
}

// wantsToPersist reports whether HTTP/1.0 asks to keep the connection, in any of the
// Connection fields (RFC 9110 section 5.3). fasthttp looks at the first one only.
func wantsToPersist(raw []byte) bool {
	var options connectionOptions
	for lines := (fields{raw}); ; {
		f, ok := lines.next()
		if !ok {
			return options.keepAlive && !options.close
		}
		if nameOf(f.name) == connectionField {
			options.add(f.value)
		}
	}
}

// acceptAll accepts connections until the listener is closed.
func (p *Proxy) acceptAll() error {
	p.accepting.Lock()
	defer p.accepting.Unlock()
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return nil //nolint:nilerr // net.ErrClosed, by Shutdown
		}
		client := conn.(*clientConn)
		client.idle.Store(true)
		p.clients.add(client)
		p.serving.Go(func() { p.serveConn(client) })
	}
}

// serveConn serves a connection up to its end, or until it becomes a tunnel. While
// there is no request, fasthttp holds no buffer for it.
func (p *Proxy) serveConn(client *clientConn) {
	defer p.reclaimer.arm()
	if !p.takeProxyHeader(client) {
		client.TCPConn.Close()
		p.clients.remove(client)
		return
	}
	for client.awaitRequest() == nil {
		client.parking = false
		_ = p.server.ServeConn(client) // what is to be known of errors, refuse knows
		if !client.parking {
			return
		}
		p.reclaimer.arm()
	}
	client.TCPConn.Close()
	p.clients.remove(client)
}

// serve passes one request on.
func (p *Proxy) serve(ctx *fasthttp.RequestCtx) {
	if client := ctx.Conn().(*clientConn); client.tooLate {
		// The participant may not get to read a response, so the app must not get the
		// request; and fasthttp must not respond in its place.
		client.Close()
		return
	}
	p.counters.requests.Add(1)
	e := p.exchanges.Get().(*exchange)
	defer func() {
		if p.recovered(recover(), "ending a request") {
			ctx.Conn().Close() // whatever else it could send would be wrong
		}
	}()
	e.start(ctx)
	defer e.finish()
	e.run()
}

// refuse responds to what fasthttp could not read as a request. A connection
// that was opened ahead of need, and never used, is closed without a response:
// browsers would take it as that to their next request.
func (p *Proxy) refuse(ctx *fasthttp.RequestCtx, err error) {
	client := ctx.Conn().(*clientConn)
	client.dropNextWrite = !client.used.Load()
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

// connState keeps track of the connections that are served. One that became a
// tunnel is served until the tunnel ends.
func (p *Proxy) connState(conn net.Conn, state fasthttp.ConnState) {
	client := conn.(*clientConn)
	switch state {
	case fasthttp.StateActive:
		client.tooLate = !client.idle.CompareAndSwap(true, false)
	case fasthttp.StateIdle:
		client.idle.Store(true)
	case fasthttp.StateClosed:
		if !client.parking {
			p.clients.remove(client)
		}
	}
}

// discardLogger drops fasthttp's log lines: they contain participants' addresses.
type discardLogger struct{}

// Printf implements fasthttp.Logger.
func (discardLogger) Printf(string, ...any) {}
