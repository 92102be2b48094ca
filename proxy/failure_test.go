package proxy

import (
	"io"
	"os"
	"testing"
)

func TestFailuresAreClassified(t *testing.T) {
	f := func(name string, err error, change func(e *exchange), want failure) {
		t.Run(name, func(t *testing.T) {
			e := newExchange(newProxy(t, nil, func(c *Config) { c.App = "http://127.0.0.1:1" }))
			e.app = &appConn{reused: true}
			e.request.method = []byte("GET")
			change(e)
			equal(t, "failure", e.response.classify(err), want)
		})
	}
	nothing := func(*exchange) {}
	malformed := func(e *exchange) {
		e.upload.state.advance(uploadSending)
		e.upload.state.advance(uploadMalformed)
	}
	abandoned := func(e *exchange) {
		e.upload.state.advance(uploadSending)
		e.upload.state.advance(uploadAbandoned)
	}
	f("malformed upload", io.EOF, malformed, malformedRequest)
	f("abandoned upload", io.EOF, abandoned, participantLeft)
	f("write to the participant failed", errLeft, nothing, participantLeft)
	f("disconnect", os.ErrDeadlineExceeded, func(e *exchange) { e.disconnect.state.advance(gone) }, participantLeft)
	f("timeout", os.ErrDeadlineExceeded, nothing, appTimedOut)
	f("stale connection", io.EOF, nothing, staleConnection)
	f("stale connection, HEAD", io.EOF, func(e *exchange) { e.isHead, e.request.method = true, []byte("HEAD") }, staleConnection)
	f("new connection", io.EOF, func(e *exchange) { e.app.reused = false }, appBrokeOff)
	f("unsafe method", io.EOF, func(e *exchange) { e.request.method = []byte("POST") }, appBrokeOff)
	f("with a body", io.EOF, func(e *exchange) { e.bodyLength = 1 }, appBrokeOff)
	f("after an interim response", io.EOF, func(e *exchange) { e.response.state.advance(responseBegun) }, appBrokeOff)
	f("garbled", errGarbled, func(e *exchange) { e.response.state.advance(responseBegun) }, appBrokeOff)
}
