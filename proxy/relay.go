package proxy

import (
	"errors"
	"io"
	"strconv"
	"time"
)

// maxInterim is how many 1xx answers may come before the answer.
const maxInterim = 100

var (
	// errGarbled says that the app's answer is not HTTP/1.1.
	errGarbled = errors.New("the app's answer is not well-formed HTTP/1.1")
	// errLeft says that nobody is there to take the answer.
	errLeft = errors.New("the participant has left")
)

// appReader is what fromApp reads through.
type appReader struct{ *exchange }

// Read reads from the app. All that has been gathered for the participant goes
// out first. When the app takes its time, somebody begins to look whether the
// participant is still there.
func (r appReader) Read(p []byte) (int, error) {
	if r.toClient.Flush() != nil {
		return 0, errLeft
	}
	if r.relayed != nil || r.looking != nil {
		return r.app.Read(p)
	}
	r.app.boundLook()
	n, err := r.app.Read(p)
	if n > 0 || !isTimeout(err) {
		return n, err
	}
	r.app.SetReadDeadline(time.Time{})
	r.boundHead()
	r.look()
	return r.app.Read(p)
}

// clientWriter is what toClient writes through.
type clientWriter struct{ *exchange }

// Write writes to the participant. A watched answer is taken to its end even
// when nobody is there to take it.
func (w clientWriter) Write(p []byte) (int, error) {
	if w.mute {
		return len(p), nil
	}
	n, err := w.client.send(p)
	if err == nil {
		return n, nil
	}
	w.closing = true
	if w.watch == nil {
		return n, err
	}
	w.mute = true
	w.leave()
	return len(p), nil
}

// relay relays the app's answer.
func (e *exchange) relay() {
	raw, err := e.readHead()
	switch {
	case err != nil:
	case e.answer.status == switchingProtocols:
		err = e.relaySwitch(raw)
	default:
		e.writeHead(raw)
		err = e.relayBody()
	}
	if err == nil && e.toClient.Flush() != nil {
		err = errLeft
	}
	e.complete = err == nil
	if err != nil {
		e.fail(err)
	}
}

// readHead reads up to the head of the answer, and returns it raw. Interim
// answers before it are passed on, but for 100, which fasthttp has said.
func (e *exchange) readHead() ([]byte, error) {
	for range maxInterim {
		raw, err := peekBlock(e.fromApp, headEnd)
		if err != nil {
			return nil, err
		}
		e.headSeen.Store(true)
		if err := e.answer.parse(raw); err != nil {
			return nil, err
		}
		e.fromApp.Discard(len(raw)) // which stays valid until the next read
		switch status := e.answer.status; {
		case status == switchingProtocols && !e.upgrade:
			return nil, errGarbled
		case status == switchingProtocols || status >= 200:
			e.unboundHead()
			return raw, nil
		case status != 100 && !e.isOld:
			e.answer.write(e.toClient, raw, true)
			e.toClient.WriteString("\r\n")
		}
	}
	return nil, errGarbled
}

// writeHead writes the head of the answer for the participant.
func (e *exchange) writeHead(raw []byte) {
	e.body = body{framing: e.answer.framing(e.isHead), left: max(e.answer.length, 0)}
	e.closing = e.closing || e.isUnframed() || e.proxy.draining.Load() || e.left.Load() ||
		!e.heard.Load() && e.answer.closes
	e.answer.write(e.toClient, raw, !e.isOld)
	switch {
	case e.closing:
		e.toClient.WriteString("Connection: close\r\n")
	case e.isOld:
		e.toClient.WriteString("Connection: keep-alive\r\n")
	}
	e.toClient.WriteString("\r\n")
	e.answered = true
	e.watch.answering(&e.answer, e.body.size())
}

// isUnframed tells whether the participant sees the end of the answer by the
// end of the connection.
func (e *exchange) isUnframed() bool {
	return e.body.framing == untilClose || e.body.framing == chunked && e.isOld
}

// relayBody relays the body of the answer. Before its end goes out, the Watcher is told.
func (e *exchange) relayBody() error {
	for e.body.framing != noBody {
		piece, err := e.body.next(e.fromApp)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		e.watch.received(piece)
		if e.body.atEnd() {
			e.tell()
		}
		if err := e.writePiece(piece); err != nil || e.isPointless() {
			return errLeft
		}
	}
	trailer, err := e.readTrailer()
	if err != nil {
		return err
	}
	e.tell()
	e.writeEnd(trailer)
	return nil
}

// tell tells the Watcher, before the end of the answer goes out.
func (e *exchange) tell() { e.watch.complete(e.heard.Load()) }

// isPointless tells whether nobody needs the rest of the answer.
func (e *exchange) isPointless() bool {
	return e.mute && e.watch != nil && e.watch.response.over
}

// writePiece writes a piece of the body, in the framing of the participant's answer.
func (e *exchange) writePiece(piece []byte) error {
	if e.body.framing != chunked || e.isOld {
		_, err := e.toClient.Write(piece)
		return err
	}
	e.toClient.Write(strconv.AppendUint(e.toClient.AvailableBuffer(), uint64(len(piece)), 16))
	e.toClient.WriteString("\r\n")
	e.toClient.Write(piece)
	_, err := e.toClient.WriteString("\r\n")
	return err
}

// readTrailer returns the trailer section of a chunked body, raw.
func (e *exchange) readTrailer() ([]byte, error) {
	if e.body.framing != chunked {
		return nil, nil
	}
	return peekBlock(e.fromApp, trailerEnd)
}

// writeEnd writes what ends a chunked body.
func (e *exchange) writeEnd(trailer []byte) {
	if trailer == nil {
		return
	}
	if !e.isOld {
		e.toClient.WriteString("0\r\n")
		for lines := (fields{trailer}); ; {
			f, ok := lines.next()
			if !ok {
				break
			}
			if nameOf(f.name) == otherField {
				e.toClient.Write(f.line)
				e.toClient.WriteString("\r\n")
			}
		}
		e.toClient.WriteString("\r\n")
	}
	e.fromApp.Discard(len(trailer))
}
