package proxy

import (
	"strings"
	"sync/atomic"
	"testing"
)

func TestPanicEndsOnlyItsOwnRequest(t *testing.T) {
	f := func(name, request string, sabotage func(*exchange)) {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, startApp(t, respondWith(okResponse)), nil)
			var once atomic.Bool
			p.exchanges.New = func() any {
				e := newExchange(p)
				if once.CompareAndSwap(false, true) {
					sabotage(e)
				}
				return e
			}
			serve(t, p)
			broken := dial(t, p)
			broken.send(request)
			if got, _ := broken.readAll(); got != "" && !strings.HasPrefix(got, "HTTP/1.1 502 ") {
				t.Errorf("got %q, want nothing or 502", got)
			}
			client := dial(t, p)
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			equal(t, "next response", client.readN(len(okResponse)), okResponse)
			if p.Stats().Panics == 0 {
				t.Error("no panic was counted")
			}
		})
	}
	const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	const post = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
	f("sending", get, func(e *exchange) { e.upload.toApp = nil })
	f("relaying", get, func(e *exchange) { e.response.fromApp = nil })
	f("relaying during an upload", post, func(e *exchange) { e.response.fromApp = nil })
	f("responding", get, func(e *exchange) { e.response.toClient = nil })
}
