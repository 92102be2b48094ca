package proxy

import (
	"bufio"
	"errors"
	"time"
)

const (
	// toClientBuffer is the size of the buffer of a response, in bytes.
	toClientBuffer = 16 << 10
	// maxInterim is how many 1xx responses may come before the final one.
	maxInterim = 100
)

var (
	// errGarbled means that the app's response is not HTTP/1.1.
	errGarbled = errors.New("the app's response is not well-formed HTTP/1.1")
	// errLeft means that nobody is there to take the response.
	errLeft = errors.New("the participant has left")
)

// response relays the app's response. Only the goroutine that relays calls its
// methods, limitHead excepted; others observe its state. Before that goroutine
// starts and after it has ended, it belongs to the participant's.
type response struct {
	*parties
	state      progress[responseState]
	upload     observed[uploadState]
	disconnect *disconnect

	head responseHead
	body body

	fromApp  *bufio.Reader // reads through appReader
	toClient *bufio.Writer // writes through clientWriter
	// sent is how many bytes the participant got, those of the head included, and
	// ownStatus the status of a response of the proxy's own.
	sent      int64
	ownStatus int

	isFullDuplex bool // the request is still being sent, by another goroutine
	isDiscarding bool // the participant takes no more of a watched response
	closing      bool // the participant's connection will be closed
}

// appReader is what fromApp reads through: relaying waits here, and nowhere else.
type appReader struct{ *response }

// Read reads from the app. What has been gathered for the participant goes out
// first.
func (r appReader) Read(p []byte) (int, error) {
	if r.toClient.Flush() != nil {
		return 0, errLeft
	}
	if r.isFullDuplex || r.disconnect.isWatched() {
		return r.app.Read(p)
	}
	r.app.limitRead()
	n, err := r.app.Read(p)
	if n > 0 || !isTimeout(err) {
		return n, err
	}
	r.app.SetReadDeadline(time.Time{})
	r.limitHead()
	r.disconnect.startWatching() // since the app takes its time
	return r.app.Read(p)
}

// clientWriter is what toClient writes through.
type clientWriter struct{ *response }

// Write writes to the participant. A watched response is read to its end even
// when nobody is there to take it.
func (w clientWriter) Write(p []byte) (int, error) {
	if w.isDiscarding {
		return len(p), nil
	}
	n, err := w.client.send(p)
	w.sent += int64(n)
	if err == nil {
		return n, nil
	}
	w.closing = true
	if w.watch == nil {
		return n, err
	}
	w.isDiscarding = true
	w.disconnect.notice(gone)
	return len(p), nil
}

func (r *response) init(p *parties, upload observed[uploadState], d *disconnect) {
	r.parties, r.upload, r.disconnect = p, upload, d
	r.toClient = bufio.NewWriterSize(clientWriter{r}, toClientBuffer)
	r.fromApp = bufio.NewReaderSize(appReader{r}, headLimit)
}

func (r *response) reset() {
	r.state.reset()
	r.toClient.Reset(clientWriter{r})
	r.fromApp.Reset(appReader{r})
	r.head = responseHead{}
	r.body = body{}
	r.isFullDuplex, r.isDiscarding, r.closing = false, false, false
	r.sent, r.ownStatus = 0, 0
}

// relay relays the response, or responds in the app's place. It returns why the
// app's own could not be relayed to its end.
func (r *response) relay() failure {
	err := r.tryRelay()
	if err == nil {
		return noFailure
	}
	f := r.classify(err)
	r.fail(f, err)
	return f
}

func (r *response) tryRelay() error {
	raw, err := r.readHead()
	if err != nil {
		return err
	}
	if r.head.status == switchingProtocols {
		return r.relaySwitch(raw)
	}
	r.writeHead(raw)
	if err := r.relayBody(); err != nil {
		return err
	}
	if r.toClient.Flush() != nil {
		return errLeft
	}
	r.state.advance(responseComplete)
	return nil
}

// readHead reads up to the head of the final response, and returns it raw.
// Interim responses before it are passed on (RFC 9110 section 15.2).
func (r *response) readHead() ([]byte, error) {
	for range maxInterim {
		raw, err := peekBlock(r.fromApp, headEnd)
		if err != nil {
			return nil, err
		}
		r.state.advance(responseBegun)
		if err := r.head.parse(raw); err != nil {
			return nil, err
		}
		r.fromApp.Discard(len(raw)) // which stays valid until the next read
		switch status := r.head.status; {
		case status == switchingProtocols && !r.isUpgrade:
			return nil, errGarbled
		case status == switchingProtocols || status >= 200:
			r.state.advance(responseRelaying)
			r.liftLimit()
			return raw, nil
		case !r.isHTTP10:
			r.head.write(r.toClient, raw, true)
			r.toClient.WriteString("\r\n")
		}
	}
	return nil, errGarbled
}

// writeHead writes the head of the response for the participant.
func (r *response) writeHead(raw []byte) {
	r.body = body{framing: r.head.framing(r.isHead), left: max(r.head.length, 0)}
	r.closing = r.closing || r.isUnframed() || r.proxy.draining.Load() || r.disconnect.state.load() != present ||
		!r.upload.load().isRead() && r.head.closes
	r.head.write(r.toClient, raw, !r.isHTTP10)
	switch {
	case r.closing:
		r.toClient.WriteString("Connection: close\r\n")
	case r.isHTTP10:
		r.toClient.WriteString("Connection: keep-alive\r\n")
	}
	r.toClient.WriteString("\r\n")
	r.watch.beginResponse(&r.head, raw, r.body.size())
}

// limitHead limits the wait for the head of the final response, from now on. The
// goroutine that sends calls it, too.
func (r *response) limitHead() {
	timeout := r.proxy.config.ResponseTimeout
	if timeout == 0 || r.state.load().hasHead() {
		return
	}
	r.app.SetReadDeadline(time.Now().Add(timeout))
	if r.state.load().hasHead() { // just now, so it may be too late for liftLimit
		r.liftLimit()
	}
}

// liftLimit ends what limitHead began: a body may take its time.
func (r *response) liftLimit() {
	if r.proxy.config.ResponseTimeout > 0 {
		r.app.SetReadDeadline(time.Time{})
		r.disconnect.limitRest()
	}
}
