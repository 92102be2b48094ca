package proxy

import (
	"errors"
	"io"
	"net"
	"strconv"
	"time"
)

// What can be wrong with a request's body.
const (
	noFault     int32 = iota
	faultBad          // it is not well-formed
	faultBroken       // the participant left, or fell silent
)

// appWriter is what toApp writes through.
type appWriter struct{ *exchange }

// Write writes to the app. If a kept connection turns out to be closed before
// it took a byte, nothing of the request was sent: a new connection gets it.
func (w appWriter) Write(p []byte) (int, error) {
	n, err := w.sendOrAsk(p)
	if err != nil && n == 0 && !w.wrote && w.app.reused {
		fresh, dialErr := w.proxy.pool.dial()
		if dialErr != nil {
			w.noApp = true
			return 0, dialErr
		}
		w.proxy.pool.drop(w.app)
		w.app = fresh
		n, err = w.sendOrAsk(p)
	}
	w.wrote = w.wrote || n > 0
	return n, err
}

// sendOrAsk sends to the app, and waits for its answer if this is the end of
// the request, and nobody else does.
func (w appWriter) sendOrAsk(p []byte) (int, error) {
	if !w.asking {
		return w.app.send(p)
	}
	return w.app.ask(p)
}

// send sends the request. When it returns, all of it is sent, or nothing more
// can be.
func (e *exchange) send() {
	e.request.write(e.toApp, e.upgrade)
	whole := true
	e.heard.Store(e.bodyLength == 0)
	if e.bodyLength != 0 {
		e.client.reading = e
		whole = e.pump()
		e.client.reading = nil
	}
	e.asking = e.relayed == nil
	e.sent = e.toApp.Flush() == nil && whole
	e.asking = false
	e.boundHead()
	e.pumped.Store(whole)
	if e.ended.Load() {
		e.app.SetReadDeadline(past) // ends outlast
	}
}

// pump sends the request's body and tells whether all of it was read. When the
// app takes no more, it is read all the same: the app's answer may say why, and
// the participant shall get to read that.
func (e *exchange) pump() bool {
	stream, chunked := e.ctx.RequestBodyStream(), e.bodyLength < 0
	if e.piece == nil {
		e.piece = make([]byte, pieceBuffer)
	}
	for left := e.bodyLength; ; {
		n, err := stream.Read(e.piece)
		if n > 0 {
			left -= n
			e.watch.sent(e.piece[:n])
			if left == 0 {
				e.heard.Store(true)
			}
			e.sendPiece(e.piece[:n], chunked)
		}
		if err == io.EOF && left > 0 {
			err = io.ErrUnexpectedEOF // fasthttp doesn't tell them apart
		}
		switch {
		case err == io.EOF:
			if chunked {
				e.heard.Store(true)
				e.toApp.WriteString("0\r\n")
				e.toApp.Write(e.ctx.Request.Header.TrailerHeader())
			}
			return true
		case err != nil:
			e.breakOff(err)
			return false
		}
	}
}

// sendPiece sends a piece of the body. Chunks are always framed anew: what an
// app may misread in the participant's framing never reaches it.
func (e *exchange) sendPiece(piece []byte, chunked bool) {
	if !chunked {
		e.toApp.Write(piece)
		return
	}
	e.toApp.Write(strconv.AppendUint(e.toApp.AvailableBuffer(), uint64(len(piece)), 16))
	e.toApp.WriteString("\r\n")
	e.toApp.Write(piece)
	e.toApp.WriteString("\r\n")
}

// breakOff gives up a request whose body can't be read: the app must not take
// it for whole.
func (e *exchange) breakOff(err error) {
	var network net.Error
	broken := errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
	if broken {
		e.fault.Store(faultBroken)
	} else {
		e.fault.Store(faultBad)
	}
	e.app.Close()
}

// beforeRead is called when the rest of the body is not here yet: what is here
// goes to the app, and the answer is relayed as soon as it comes.
func (e *exchange) beforeRead() {
	_ = e.toApp.Flush()
	if e.relayed == nil {
		e.relayed = make(chan struct{})
		e.app.SetReadDeadline(time.Time{})
		go e.relayBeside()
	}
	e.client.SetReadDeadline(time.Now().Add(stall))
	if e.deaf.Load() {
		e.client.SetReadDeadline(time.Now().Add(e.proxy.linger))
	}
}

// relayBeside relays the answer while the request is still being sent.
func (e *exchange) relayBeside() {
	defer close(e.relayed)
	defer func() {
		if e.proxy.recovered(recover(), "relaying an answer") {
			e.closing, e.complete = true, false
			e.app.Close()
			e.client.Close()
		}
	}()
	e.relay()
	e.ended.Store(true)
	if e.heard.Load() {
		e.client.SetReadDeadline(past) // ends attend
	} else {
		e.outlast()
	}
}

// outlast stays with the app while an upload goes on that it has answered
// already. The app decides for how long; once it is gone, the participant is
// told, and gets to say the rest to nobody, so that our close does not take
// the answer away.
func (e *exchange) outlast() {
	if e.complete && (!e.app.awaitEnd() || e.heard.Load()) {
		return // the upload has ended
	}
	e.closing = true
	e.deaf.Store(true)
	e.client.CloseWrite()
	e.client.SetReadDeadline(time.Now().Add(e.proxy.linger))
}

// attend stays with the participant while the other goroutine relays the answer.
func (e *exchange) attend() {
	if e.pumped.Load() && !e.ended.Load() {
		e.client.SetReadDeadline(time.Time{})
		if !e.ended.Load() && e.client.socket.awaitEnd() {
			e.leave()
		}
	}
	<-e.relayed
	if !e.pumped.Load() {
		e.closing = true
	}
}
