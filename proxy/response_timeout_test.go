package proxy

import (
	"strings"
	"testing"
	"time"
)

func TestAppThatRespondsTooLateIsReplacedBy504(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"
	const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	const interim = "HTTP/1.1 103 Early Hints\r\n\r\n"
	f := func(name, interim string, pieces ...string) {
		t.Run(name, func(t *testing.T) {
			app := startApp(t, func(w *testConn) {
				w.send(interim)
				w.readAll()
			})
			p := startProxy(t, app, func(c *Config) { c.ResponseTimeout = 20 * time.Millisecond })
			client := dial(t, p)
			for _, piece := range pieces {
				client.send(piece)
				<-time.After(2 * p.config.ResponseTimeout) // an upload may take its time
			}
			equal(t, "interim response", client.readN(len(interim)), interim)
			if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 504 ") {
				t.Errorf("got %q, want 504", head)
			}
			equal(t, "timeouts", p.Stats().AppTimeout, 1)
		})
	}
	f("without a body", "", get)
	f("with a body", "", head+"ab")
	f("with a slow body", "", head+"a", "b")
	f("after an interim response", interim, get)
	f("after an interim response within the body", interim, head+"a", "b")
}
