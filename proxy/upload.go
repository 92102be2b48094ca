package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

// Sizes of the buffers of an upload, in bytes.
const (
	toAppBuffer = 16 << 10
	pieceBuffer = 64 << 10
)

// upload sends a request to the app. Only the participant's goroutine calls its
// methods, appGone excepted; others observe its state.
type upload struct {
	*parties
	state progress[uploadState]
	toApp *bufio.Writer // writes through appWriter
	piece []byte        // of the body; allocated when first needed

	isStarted     bool        // some of the request was sent
	isUnreachable bool        // nothing was sent, and no connection could be had
	isLast        bool        // the end is being sent, and the response is to be waited for
	isDiscarded   atomic.Bool // the app is gone; the rest is read for the participant's sake
}

// appWriter is what toApp writes through.
type appWriter struct{ *upload }

// Write writes to the app. If a kept connection turns out to be closed before
// it took a byte, nothing of the request was sent: a new connection gets it.
func (w appWriter) Write(p []byte) (int, error) {
	n, err := w.write(p)
	if err != nil && n == 0 && !w.isStarted && w.app.reused {
		fresh, dialErr := w.proxy.pool.dial()
		if dialErr != nil {
			w.isUnreachable = true
			return 0, dialErr
		}
		w.proxy.pool.drop(w.app)
		w.app = fresh
		n, err = w.write(p)
	}
	w.isStarted = w.isStarted || n > 0
	return n, err
}

func (w appWriter) write(p []byte) (int, error) {
	if w.isLast {
		return w.app.sendLast(p)
	}
	return w.app.send(p)
}

func (u *upload) init(p *parties) {
	u.parties = p
	u.toApp = bufio.NewWriterSize(appWriter{u}, toAppBuffer)
}

// reset prepares for another request, or for the same one on another connection.
func (u *upload) reset() {
	u.state.reset()
	u.toApp.Reset(appWriter{u})
	u.isStarted, u.isUnreachable = false, false
	u.isDiscarded.Store(false)
}

// begin writes the head.
func (u *upload) begin() {
	u.request.write(u.toApp, u.isUpgrade)
	if u.bodyLength == 0 {
		u.state.advance(uploadRead)
	} else {
		u.state.advance(uploadSending)
	}
}

// sendBody sends the request's body. When the app takes no more, it is read all
// the same: the app's response may say why, and the participant must be able to
// read it.
func (u *upload) sendBody() {
	var stream io.Reader = bodyReader{u}
	if u.piece == nil {
		u.piece = make([]byte, pieceBuffer)
	}
	for left := u.bodyLength; ; {
		n, err := stream.Read(u.piece)
		if left -= n; err == io.EOF && left > 0 {
			err = io.ErrUnexpectedEOF // fasthttp does not distinguish them
		}
		u.watch.addRequest(u.piece[:n])
		if n > 0 && left == 0 || err == io.EOF && u.bodyLength < 0 {
			u.state.advance(uploadRead) // before the app can know, since it may respond at once
		}
		if n > 0 {
			u.sendPiece(u.piece[:n])
		}
		switch {
		case err == io.EOF:
			u.sendTrailer()
			return
		case err != nil:
			u.breakOff(err)
			return
		}
	}
}

// sendPiece sends a piece of the body. Chunks are always framed anew: what an
// app may misread in the participant's framing never reaches it.
func (u *upload) sendPiece(piece []byte) {
	if u.bodyLength >= 0 {
		u.toApp.Write(piece)
		return
	}
	u.toApp.Write(strconv.AppendUint(u.toApp.AvailableBuffer(), uint64(len(piece)), 16))
	u.toApp.WriteString("\r\n")
	u.toApp.Write(piece)
	u.toApp.WriteString("\r\n")
}

// sendTrailer ends a chunked body.
func (u *upload) sendTrailer() {
	if u.bodyLength < 0 {
		u.toApp.WriteString("0\r\n")
		u.toApp.Write(u.ctx.Request.Header.TrailerHeader())
	}
}

// breakOff gives up a request whose body can't be read: the app must not take
// it for whole.
func (u *upload) breakOff(err error) {
	var network net.Error
	isAbandoned := errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
	if isAbandoned {
		u.state.advance(uploadAbandoned)
	} else {
		u.state.advance(uploadMalformed)
	}
	u.app.Close()
}

// flush sends what has been gathered. An error stays in toApp.
func (u *upload) flush() { _ = u.toApp.Flush() }

// finish sends what is left of a request that was read to its end. With await it
// waits a moment for the response, where nobody else does.
func (u *upload) finish(await bool) {
	if u.state.load().isBroken() {
		return
	}
	u.isLast = await
	err := u.toApp.Flush()
	u.isLast = false
	if err == nil {
		u.state.advance(uploadSent)
	}
}

// limitSilence limits how long the participant may send nothing.
func (u *upload) limitSilence() {
	u.client.SetReadDeadline(time.Now().Add(transferIdleTimeout))
	if u.isDiscarded.Load() { // checked last, since appGone may run just now
		u.client.SetReadDeadline(time.Now().Add(u.proxy.linger))
	}
}

// appGone makes what is left of the body be discarded, which the participant
// sees by a half-close. The goroutine that relays calls it.
func (u *upload) appGone() {
	u.isDiscarded.Store(true)
	u.client.CloseWrite()
	u.client.SetReadDeadline(time.Now().Add(u.proxy.linger))
}
