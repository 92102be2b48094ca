package proxy

import (
	"testing"
	"time"
)

func TestPipelinedRequestMayArriveInTwoPieces(t *testing.T) {
	const first = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
	f := func(name string, delay time.Duration, piece, rest string) {
		t.Run(name, func(t *testing.T) {
			client := dial(t, startProxy(t, startApp(t, func(w *testConn) {
				for w.readHead() != "" {
					<-time.After(delay)
					w.send(okResponse)
				}
			}), nil))
			client.send(first + piece)
			equal(t, "first response", client.readN(len(okResponse)), okResponse)
			client.send(rest)
			equal(t, "second response", client.readN(len(okResponse)), okResponse)
		})
	}
	const slow = 4 * watchDelay // long enough to watch for the participant leaving
	f("after a quick response", 0, "GET /y HTTP/1.1\r\nHo", "st: h\r\n\r\n")
	f("after a slow response", slow, "GET /y HTTP/1.1\r\nHo", "st: h\r\n\r\n")
	f("between head and body", slow, "POST /y HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n", "a")
}
