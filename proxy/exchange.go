package proxy

import (
	"time"

	"github.com/valyala/fasthttp"
)

// exchange is one request and its response, as they pass. It is reused.
//
// The participant's goroutine, on which fasthttp calls the handler, sends the
// request and then relays the response. If it has to wait for the request's body,
// a second goroutine relays meanwhile (full duplex): an app may respond early.
type exchange struct {
	parties
	upload     upload     // belongs to the participant's goroutine
	response   response   // belongs to the goroutine that relays
	disconnect disconnect // of the participant, while the app takes its time

	relayed chan struct{} // closed when relayConcurrently has returned; nil without it
	resent  bool          // this is the second connection that gets the request
}

// parties are the two sides of an exchange, and what is known of the request
// before anything of it is sent. They don't change while the response is relayed.
type parties struct {
	proxy   *Proxy
	ctx     *fasthttp.RequestCtx
	client  *clientConn
	app     *appConn
	watch   *watch
	request requestHead

	isHead, isHTTP10, isUpgrade bool
	bodyLength                  int // -1 when chunked

	// began is when the request came, zero if its end is not logged, and id is that of
	// requestID, empty before its first call.
	began time.Time
	id    string
}

func newExchange(p *Proxy) *exchange {
	e := &exchange{parties: parties{proxy: p}}
	e.disconnect.parties = &e.parties
	e.upload.init(&e.parties)
	e.response.init(&e.parties, &e.upload.state, &e.disconnect)
	return e
}

// start prepares for the request of ctx.
func (e *exchange) start(ctx *fasthttp.RequestCtx) {
	header := &ctx.Request.Header
	e.ctx = ctx
	e.client = ctx.Conn().(*clientConn)
	if e.client.firstByte == byteAwaited { // it came with the head
		e.client.firstByte = byteRead
	}
	e.isHead = header.IsHead()
	e.isHTTP10 = !header.IsHTTP11()
	e.response.closing = header.ConnectionClose()
	e.bodyLength = max(header.ContentLength(), -1)
	if header.ContentLength() == -2 { // no body at all
		e.bodyLength = 0
	}
	if e.proxy.logsAccess.Load() {
		e.began = time.Now()
	}
}

// run sends the request and relays the response.
func (e *exchange) run() {
	e.request.headPolicy = e.proxy.heads
	if err := e.request.parse(&e.ctx.Request.Header); err != nil {
		e.proxy.counters.refused.Add(1)
		e.response.replace(badRequest)
		return
	}
	if e.isLoop() {
		id := e.response.replace(loopDetected)
		e.proxy.warnings.log(warnLoop, "request", id)
		return
	}
	e.request.expectsContinue = e.client.expectsContinue
	e.request.forwarded = e.proxy.forwarded.of(e.client.RemoteAddr())
	if e.proxy.config.RequestID && len(e.ctx.Request.Header.Peek(requestIDField)) == 0 {
		e.request.id = e.requestID()
	}
	e.isUpgrade = e.request.isUpgrade() && e.bodyLength == 0 && !e.isHTTP10
	e.watch = e.proxy.begin(&e.request, &e.ctx.Request.Header)
	for e.connect() {
		e.send()
		if e.relayed != nil {
			e.awaitRelaying()
			return
		}
		if e.relay() != staleConnection {
			return
		}
		e.prepareResend()
	}
}

// isLoop reports whether the request is one of our own to the app. The first of a
// connection shows that for all.
func (e *exchange) isLoop() bool {
	if e.client.loop == loopUnknown {
		if e.client.loop = noLoop; e.proxy.pool.hasOtherEndOf(e.client.TCPConn) {
			e.client.loop = isLoop
		}
	}
	return e.client.loop == isLoop
}

// isSlow reports whether the request's body comes later than its head. As the app's
// response is relayed meanwhile, the request can't be sent again, and must not meet a
// kept connection that turns out to be stale.
func (e *exchange) isSlow() bool { return e.client.firstByte == byteOwed || e.client.expectsContinue }

// connect gets a connection to the app, or responds that there is none.
func (e *exchange) connect() bool {
	var err error
	if e.isUpgrade || e.resent || e.isSlow() {
		e.app, err = e.proxy.pool.dial()
	} else {
		e.app, err = e.proxy.pool.get()
	}
	if err == nil {
		return true
	}
	e.proxy.counters.appDial.Add(1)
	id := e.response.replace(unavailable)
	e.proxy.warnings.log(warnUnreachable, "error", err, "request", id)
	return false
}

// send sends the request. When it returns, all of it is sent, or nothing more
// can be.
func (e *exchange) send() {
	e.upload.begin()
	if e.bodyLength != 0 {
		e.client.bodyWaiter = e
		e.upload.sendBody()
		e.client.bodyWaiter = nil
	}
	e.upload.finish(e.relayed == nil)
	if e.relayed == nil {
		return
	}
	e.response.limitHead()
	if e.response.state.load().isOver() {
		e.app.interrupt() // wakes awaitAppClose
	}
}

// relay relays the response, provided that the app got the request.
func (e *exchange) relay() failure {
	if e.upload.isUnreachable && !e.upload.state.load().isBroken() {
		e.response.fail(appUnreachable, nil)
		return appUnreachable
	}
	return e.response.relay()
}

// prepareResend prepares for sending the request once more, on a new connection:
// the app closed the kept one without a response.
func (e *exchange) prepareResend() {
	e.proxy.counters.resent.Add(1)
	e.disconnect.stopWatching()
	e.proxy.pool.drop(e.app)
	e.resent = true
	e.upload.reset()
	e.response.fromApp.Reset(appReader{&e.response})
}

// finish ends the exchange, whatever happened in it, and leaves the
// participant's connection to fasthttp.
func (e *exchange) finish() {
	panicked := e.proxy.recovered(recover(), "passing a request on")
	if panicked {
		e.abort()
	}
	e.disconnect.stopWatching()
	state := e.response.state.load()
	e.watch.abandon(state.hasHead())
	e.logAccess()
	if state == responseSwitched {
		e.handOver()
	} else {
		e.releaseApp()
		e.returnToServer()
	}
	if !panicked {
		e.reset()
	}
}

// abort ends an exchange that panicked.
func (e *exchange) abort() {
	if e.app != nil {
		e.app.Close()
	}
	if e.relayed != nil {
		e.client.Close()
		<-e.relayed
	}
	e.client.bodyWaiter = nil
	if state := e.response.state.load(); !state.hasHead() && !state.isOver() {
		e.response.replace(badGateway)
	}
	e.response.breakOff()
}

// releaseApp keeps the connection to the app if the next request may use it.
func (e *exchange) releaseApp() {
	if e.app == nil {
		return
	}
	isWhole := e.upload.state.load() == uploadSent && e.response.state.load() == responseComplete
	isKept := !e.response.head.closes && !e.request.bound && e.disconnect.state.load() == present
	if !isWhole || !isKept || e.response.fromApp.Buffered() > 0 {
		e.proxy.pool.drop(e.app)
		return
	}
	if e.relayed != nil {
		e.app.SetReadDeadline(time.Time{}) // it may have been interrupted
	}
	e.proxy.pool.put(e.app)
}

// returnToServer makes fasthttp go on with the next request, or close.
func (e *exchange) returnToServer() {
	e.client.dropNextWrite = true
	if e.client.firstByte == byteOwed {
		e.response.closing = true // fasthttp would take the byte for the next request
	}
	e.client.incoming = incoming{}
	e.ctx.SetWriteDeadline(time.Time{}) // makes fasthttp flush its response now, which is dropped
	if !e.response.closing {
		return
	}
	e.ctx.SetConnectionClose()
	upload := e.upload.state.load()
	if e.bodyLength != 0 && !upload.isRead() && upload != uploadAbandoned {
		e.client.discard(e.proxy.linger, time.Now().Add(maxLinger))
	}
}

// reset releases everything and makes the exchange available.
func (e *exchange) reset() {
	e.parties = parties{proxy: e.proxy}
	e.upload.reset()
	e.response.reset()
	e.disconnect.state.reset()
	e.relayed, e.resent = nil, false
	e.proxy.exchanges.Put(e)
}
