package proxy

import (
	"bufio"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Sizes of the buffers of an exchange, in bytes.
const (
	toAppBuffer    = 16 << 10
	toClientBuffer = 32 << 10
	pieceBuffer    = 64 << 10
)

// past is a deadline that ends a read at once.
var past = time.Unix(1, 0)

// exchange is one request and its answer, as they pass. It is reused.
//
// fasthttp calls it on the participant's goroutine, which sends the request
// and then relays the answer. Where the request's body is not here yet, a
// second goroutine relays the answer meanwhile: an app may answer early.
type exchange struct {
	proxy   *Proxy
	ctx     *fasthttp.RequestCtx
	client  *clientConn
	app     *appConn
	watch   *watch
	request requestHead
	answer  answerHead
	body    body

	toApp    *bufio.Writer // writes through appWriter
	toClient *bufio.Writer // writes through clientWriter
	fromApp  *bufio.Reader // reads through appReader
	piece    []byte        // of the request's body; made when first needed

	// What is asked for.
	isHead, isOld, upgrade bool // isOld: HTTP/1.0
	bodyLength             int  // of the request; -1 when chunked
	// Where we are.
	wrote     bool // something was sent to the app
	asking    bool // the end of the request is sent
	sent      bool // the whole request was
	answered  bool // the head of an answer was written
	said      bool // and it was ours, in the app's place
	complete  bool // the whole answer has come
	again     bool // the request shall be sent again, on a fresh connection
	fresh     bool // and has been
	closing   bool // the participant's connection will be closed
	switching bool // the app has switched to another protocol
	noApp     bool // the app could not be reached any more
	mute      bool // the participant takes no more of a watched answer

	// Between the two goroutines.
	relayed  chan struct{} // closed when the relaying goroutine is done; nil without one
	pumped   atomic.Bool   // the request's body needs no more reading
	heard    atomic.Bool   // the request's body was read; set before the app gets its end
	ended    atomic.Bool   // the answer is relayed
	headSeen atomic.Bool   // the head of the answer has come
	left     atomic.Bool   // the participant has left
	deaf     atomic.Bool   // the app has answered, and is gone before the upload has ended
	fault    atomic.Int32  // what was wrong with the request's body
	looking  chan struct{} // closed when the goroutine of look is done; nil without one
}

func newExchange(p *Proxy) *exchange {
	e := &exchange{proxy: p}
	e.toApp = bufio.NewWriterSize(appWriter{e}, toAppBuffer)
	e.toClient = bufio.NewWriterSize(clientWriter{e}, toClientBuffer)
	e.fromApp = bufio.NewReaderSize(appReader{e}, headLimit)
	return e
}

// start takes up a request.
func (e *exchange) start(ctx *fasthttp.RequestCtx) {
	header := &ctx.Request.Header
	e.ctx = ctx
	e.client = ctx.Conn().(*clientConn)
	e.isHead = header.IsHead()
	e.isOld = !header.IsHTTP11()
	e.closing = header.ConnectionClose()
	e.bodyLength = max(header.ContentLength(), -1)
	if header.ContentLength() == -2 { // no body at all
		e.bodyLength = 0
	}
}

// run passes the request on and the answer back.
func (e *exchange) run() {
	if err := e.request.parse(&e.ctx.Request.Header); err != nil {
		e.proxy.counters.refused.Add(1)
		e.say(badRequest)
		return
	}
	e.request.forwarded = e.proxy.forwarded.of(e.client.RemoteAddr())
	e.upgrade = e.request.isUpgrade() && e.bodyLength == 0 && !e.isOld
	e.watch = e.proxy.begin(&e.request, &e.ctx.Request.Header)
	for e.connect() {
		e.send()
		if e.relayed == nil {
			e.relay()
		} else {
			e.attend()
		}
		if !e.again {
			return
		}
		e.sendAgain()
	}
}

// connect finds a connection to the app, or answers that there is none.
func (e *exchange) connect() bool {
	var err error
	if e.upgrade || e.fresh {
		e.app, err = e.proxy.pool.dial()
	} else {
		e.app, err = e.proxy.pool.get()
	}
	if err == nil {
		return true
	}
	e.proxy.counters.appDial.Add(1)
	e.proxy.log.warn("the app could not be reached", "error", err)
	e.say(unavailable)
	return false
}

// sendAgain prepares to send the request once more: the app closed a kept
// connection without a word.
func (e *exchange) sendAgain() {
	e.proxy.counters.resent.Add(1)
	e.stopLooking()
	e.proxy.pool.drop(e.app)
	e.again, e.fresh, e.wrote, e.sent = false, true, false, false
	e.pumped.Store(false)
	e.ended.Store(false)
	e.toApp.Reset(appWriter{e})
	e.fromApp.Reset(appReader{e})
}

// finish ends the exchange, whatever happened in it, and leaves the
// participant's connection to fasthttp.
func (e *exchange) finish() {
	panicked := e.proxy.recovered(recover(), "passing a request on")
	if panicked {
		e.abort()
	}
	e.stopLooking()
	e.watch.abandon(e.answered && !e.said)
	if e.switching {
		e.handOver()
	} else {
		e.keepOrDrop()
		e.leaveToServer()
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
	e.client.reading = nil
	e.switching, e.complete = false, false
	if !e.answered {
		e.say(badGateway)
	}
	e.closing = true
}

// keepOrDrop keeps the connection to the app if the next request may use it.
func (e *exchange) keepOrDrop() {
	if e.app == nil {
		return
	}
	reusable := e.complete && e.sent && !e.answer.closes && !e.request.bound &&
		!e.left.Load() && e.fromApp.Buffered() == 0
	if reusable {
		if e.relayed != nil {
			e.app.SetReadDeadline(time.Time{}) // see send
		}
		e.proxy.pool.put(e.app)
	} else {
		e.proxy.pool.drop(e.app)
	}
}

// leaveToServer makes fasthttp go on with the next request, or close.
func (e *exchange) leaveToServer() {
	e.client.answered = true
	e.client.headBound = false // a pipelined head has a deadline of its own
	e.ctx.SetWriteDeadline(time.Time{}) // makes fasthttp flush, and us drop, its answer now
	if e.closing {
		e.ctx.SetConnectionClose()
		if e.bodyLength != 0 && !e.pumped.Load() && e.fault.Load() != faultBroken {
			e.client.discard(e.proxy.linger, time.Time{})
		}
	}
}

// reset lets go of everything and makes the exchange available.
func (e *exchange) reset() {
	e.toApp.Reset(appWriter{e})
	e.toClient.Reset(clientWriter{e})
	e.fromApp.Reset(appReader{e})
	e.answer = answerHead{}
	e.ctx, e.client, e.app, e.watch = nil, nil, nil, nil
	e.request = requestHead{}
	e.body.release()
	e.wrote, e.asking, e.sent = false, false, false
	e.answered, e.said, e.complete = false, false, false
	e.again, e.fresh, e.closing, e.switching, e.noApp, e.mute = false, false, false, false, false, false
	e.relayed, e.looking = nil, nil
	e.pumped.Store(false)
	e.ended.Store(false)
	e.headSeen.Store(false)
	e.left.Store(false)
	e.deaf.Store(false)
	e.fault.Store(noFault)
	e.proxy.exchanges.Put(e)
}
