package proxy

import (
	"strings"
	"testing"
)

func TestMalformedBodyIsNotSentOnAnotherConnection(t *testing.T) {
	app := startApp(t, respondWith(okResponse))
	client := dial(t, startProxy(t, app, nil))
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "response", client.readN(len(okResponse)), okResponse)
	client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nx\r\n")
	if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 400 ") {
		t.Errorf("got %q, want 400", head)
	}
	equal(t, "connections to the app", app.conns.Load(), 1)
}
