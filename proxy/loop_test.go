package proxy

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"
)

// An address of the app that leads back, as a name may, must not let one request
// run in circles.
func TestRequestThatComesBackIsRefusedOnce(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	var log bytes.Buffer
	p := newProxy(t, nil, func(c *Config) {
		c.Listen, c.App = address, "http://"+address
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	serve(t, p)
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 508 Loop Detected\r\n") {
		t.Fatalf("got %q, want 508", head)
	}
	equal(t, "requests", p.Stats().Requests, 2)     // it came back once
	if err := p.Shutdown(t.Context()); err != nil { // nothing is logged any more
		t.Error(err)
	}
	if text := log.String(); !strings.Contains(text, "leads back to sidehook itself") {
		t.Errorf("the log has %q", text)
	}
}
