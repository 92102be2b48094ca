package proxy

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"
)

func TestListenFailsOnATakenPort(t *testing.T) {
	p := startProxy(t, startApp(t, respondWith(okResponse)), nil)
	other, err := New(Config{App: "http://127.0.0.1:1", Listen: p.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Listen(); err == nil || !strings.Contains(err.Error(), "cannot listen for participants") {
		t.Errorf("got %v", err)
	}
}

func TestConnectionsBeyondTheLimitGet503(t *testing.T) {
	p := startProxy(t, startApp(t, respondWith(okResponse)), func(c *Config) { c.Concurrency = 2 })
	f := func() string {
		client := dial(t, p)
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		return client.readHead()
	}
	established := dial(t, p)
	for range 2 {
		established.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "response", established.readN(len(okResponse)), okResponse)
		if p.Stats().Connections < 2 {
			equal(t, "response", f(), okResponse[:len(okResponse)-2])
		}
	}
	if head := f(); !strings.HasPrefix(head, "HTTP/1.1 503 ") || !strings.Contains(head, "\r\nRetry-After: ") {
		t.Errorf("got %q, want 503 with Retry-After", head)
	}
	equal(t, "overloaded", p.Stats().Overloaded, 1)
	established.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "response on an older connection", established.readN(len(okResponse)), okResponse)
	equal(t, "length of the text", len(overloaded)-strings.Index(overloaded, "\r\n\r\n")-4, 39)
}

// exhaustedListener fails the first calls of Accept, as with EMFILE.
type exhaustedListener struct {
	net.Listener
	failures int
}

func (l *exhaustedListener) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestRunningOutOfFilesDoesNotStopTheListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := New(Config{App: "http://127.0.0.1:1", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	proxied := &listener{Listener: &exhaustedListener{l, 2}, clients: p.clients, config: &Config{Concurrency: 1}, warnings: p.warnings, counters: &p.counters}
	go func() {
		if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
			conn.Close()
		}
	}()
	conn, err := proxied.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestSlowHeadGets408AndSilentConnectionIsJustClosed(t *testing.T) {
	short := 50 * time.Millisecond
	app := startApp(t, respondWith(okResponse))
	p := startProxy(t, app, func(c *Config) { c.HeaderTimeout = short })
	slow, silent := dial(t, p), dial(t, p)
	slow.send("GET / HTTP/1.1\r\nHo")
	if got, _ := slow.readAll(); !strings.HasPrefix(got, "HTTP/1.1 408 ") {
		t.Errorf("got %q, want 408", got)
	}
	silent.expectEnd()
	idle := dial(t, startProxy(t, app, func(c *Config) { c.IdleTimeout = short }))
	idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "response", idle.readN(len(okResponse)), okResponse)
	idle.expectEnd()
}
