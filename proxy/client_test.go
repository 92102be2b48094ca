package proxy

import (
	"testing"
	"time"
)

func TestPipelinedRequestMayArriveInTwoPieces(t *testing.T) {
	const first = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
	f := func(name string, delay time.Duration, piece, rest string) {
		t.Run(name, func(t *testing.T) {
			client := dial(t, startProxy(t, startApp(t, func(w *wire) {
				for w.head() != "" {
					<-time.After(delay)
					w.send(ok)
				}
			}), nil))
			client.send(first + piece)
			equal(t, "first response", client.take(len(ok)), ok)
			client.send(rest)
			equal(t, "second response", client.take(len(ok)), ok)
		})
	}
	const slow = 4 * watchDelay // long enough to watch for the participant leaving
	f("after a quick response", 0, "GET /y HTTP/1.1\r\nHo", "st: h\r\n\r\n")
	f("after a slow response", slow, "GET /y HTTP/1.1\r\nHo", "st: h\r\n\r\n")
	f("between head and body", slow, "POST /y HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n", "a")
}
