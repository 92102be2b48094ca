package proxy

import (
	"errors"
	"time"

	"github.com/valyala/fasthttp"
)

// firstByteWait is how long the head of a request waits for the first byte of its
// body. Most bodies come with the head or right behind it, and then the request can
// be sent in one piece, and once more if the connection turns out to be stale.
const firstByteWait = 10 * time.Millisecond

// fasthttp calls its handler with the first byte of a body of known length, and not
// before. An app may want to see the head earlier: to refuse the upload, or to ask
// for the body by 100 Continue. So fasthttp gets a placeholder for that byte.
//
// It asks awaitBody before it reads a body that a participant announced by Expect.
// That is the one moment at which the connection can be known to be at the start of
// a body, so announceBody makes it ask for all.

// firstByte is the state of the first byte of a body on a participant's connection.
type firstByte int

const (
	byteRead    firstByte = iota // it was read, or there is none
	byteAwaited                  // the next read is for it
	byteOwed                     // fasthttp has a placeholder for it
)

// String returns the name of the state.
func (s firstByte) String() string { return [...]string{"read", "awaited", "owed"}[s] }

// announceBody makes fasthttp call awaitBody.
func announceBody(header *fasthttp.RequestHeader) {
	if header.ContentLength() > 0 {
		header.Add(fasthttp.HeaderExpect, "100-continue")
	}
}

// awaitBody is fasthttp's ExpectHandler. The participant who does expect 100
// Continue gets that of the app, and not fasthttp's.
func awaitBody(ctx *fasthttp.RequestCtx) int {
	client, header := ctx.Conn().(*clientConn), &ctx.Request.Header
	client.dropNextWrite = true
	client.expectsContinue = header.ContentLength() == -1 || len(header.PeekAll(fasthttp.HeaderExpect)) > 1
	if header.ContentLength() > 0 {
		client.firstByte = byteAwaited
	}
	return fasthttp.StatusContinue
}

// readFirst reads the begin of a body, or puts a placeholder for its first byte.
func (c *clientConn) readFirst(p []byte) (n int, err error) {
	c.firstByte = byteRead
	if c.expectsContinue {
		n, err = c.socket.readNow(p)
	} else {
		c.SetReadDeadline(time.Now().Add(firstByteWait))
		n, err = c.socket.read(p)
	}
	if errors.Is(err, errWouldBlock) || isTimeout(err) {
		c.firstByte = byteOwed
		p[0] = 0
		return 1, nil
	}
	return n, err
}

// bodyReader reads the body of a request.
type bodyReader struct{ *upload }

// Read implements io.Reader.
func (r bodyReader) Read(p []byte) (int, error) {
	stream := r.ctx.RequestBodyStream()
	if r.client.firstByte != byteOwed {
		return stream.Read(p)
	}
	n, err := r.client.Read(p[:1])
	if n == 0 {
		return 0, err
	}
	r.client.firstByte = byteRead
	var placeholder [1]byte
	return stream.Read(placeholder[:])
}
