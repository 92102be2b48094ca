package proxy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// shutDown begins to shut p down, and returns where its error will come.
func shutDown(ctx context.Context, p *Proxy) <-chan error {
	done := make(chan error, 1)
	go func() { done <- p.Shutdown(ctx) }()
	return done
}

func TestShutdownLetsRequestsFinishAndClosesIdleConnections(t *testing.T) {
	proceed, began := make(chan bool), make(chan bool, 1)
	app := startApp(t, func(w *wire) {
		for head := w.head(); head != ""; head = w.head() {
			if strings.Contains(head, "/slow") {
				began <- true
				<-proceed
			}
			w.send(ok)
		}
	})
	p := startProxy(t, app, nil)
	idle, fresh, busy := dial(t, p), dial(t, p), dial(t, p)
	idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	idle.take(len(ok))
	busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	receive(t, "request", began)
	done := shutDown(t.Context(), p)
	idle.ended()
	fresh.ended()
	if conn, err := net.Dial("tcp", p.Addr().String()); err == nil {
		newWire(t, conn).ended()
		conn.Close()
	}
	if err := p.Ready(t.Context()); !errors.Is(err, errDraining) {
		t.Errorf("Ready: got %v, want %v", err, errDraining)
	}
	close(proceed)
	want := strings.Replace(ok, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
	got, _ := busy.rest()
	equal(t, "answer", got, want)
	equal(t, "Shutdown", receive(t, "end", done), nil)
	equal(t, "connections", p.Stats().Connections, 0)
}

func TestAConnectionOpenedAheadOfNeedDoesNotDelayShutdown(t *testing.T) {
	p := startProxy(t, startApp(t, serving(ok)), nil)
	client := dial(t, p)
	eventually(t, "somebody is connected", func() bool { return p.Stats().Connections == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // fasthttp alone takes five
	defer cancel()
	equal(t, "Shutdown", p.Shutdown(ctx), nil)
	client.ended()
}

func TestShutdownDoesNotCloseWhereARequestIsAboutToBeRead(t *testing.T) {
	p := newProxy(t, startApp(t, serving(ok)), nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	connect := func(idle bool) (*clientConn, *wire) {
		participant, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { participant.Close(); conn.Close() })
		client, err := newClientConn(conn.(*net.TCPConn), &p.config)
		if err != nil {
			t.Fatal(err)
		}
		client.idle.Store(idle)
		p.clients.add(client)
		return client, newWire(t, participant)
	}
	spoken, participant := connect(true)
	participant.send("x")
	busy, _ := connect(false)
	quiet, _ := connect(true)
	eventually(t, "the byte has come", func() bool { return spoken.socket.state() == peerSpoke })
	p.clients.closeIdle()
	isOpen := func(c *clientConn) bool { return c.SetReadDeadline(time.Time{}) == nil }
	equal(t, "open where a request waits", isOpen(spoken), true)
	equal(t, "open where a request is served", isOpen(busy), true)
	equal(t, "open where nothing is", isOpen(quiet), false)
}

func TestARequestThatComesTooLateForItsConnectionIsNotForTheApp(t *testing.T) {
	app := startApp(t, serving(ok))
	p := startProxy(t, app, nil)
	client := dial(t, p)
	eventually(t, "a shutdown has the connection", func() bool {
		p.clients.mu.Lock()
		defer p.clients.mu.Unlock()
		for conn := range p.clients.open {
			return conn.idle.CompareAndSwap(true, false)
		}
		return false
	})
	client.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	client.rest()
	equal(t, "connections to the app", app.conns.Load(), 0)
}

// TestShutdownLosesNoAnswer holds that of a request that crosses a shutdown,
// the app hears only if the participant hears of it.
func TestShutdownLosesNoAnswer(t *testing.T) {
	for range 30 {
		var seen atomic.Int64
		app := startApp(t, func(w *wire) {
			for w.head() != "" {
				seen.Add(1)
				w.send(ok)
			}
		})
		p := startProxy(t, app, nil)
		var clients []*wire
		for range 8 {
			client := dial(t, p)
			client.send("POST / HTTP/1.1\r\nHost: h\r\n\r\n")
			client.take(len(ok))
			clients = append(clients, client)
		}
		before, answered := seen.Load(), 0
		done := shutDown(t.Context(), p)
		for _, client := range clients {
			client.send("POST / HTTP/1.1\r\nHost: h\r\n\r\n")
		}
		for _, client := range clients {
			if head := client.head(); strings.HasPrefix(head, "HTTP/1.1 200 ") {
				answered++
			} else if head != "" {
				t.Errorf("got %q", head)
			}
		}
		equal(t, "Shutdown", receive(t, "end", done), nil)
		equal(t, "answered", int64(answered), seen.Load()-before)
	}
}

func TestTunnelsAreClosedAtTheEndOfTheDrain(t *testing.T) {
	appEnded := make(chan bool)
	app := startApp(t, func(w *wire) {
		w.head()
		w.send(upgradeAnswer)
		io.Copy(w.TCPConn, w.in)
		close(appEnded)
	})
	p := startProxy(t, app, nil)
	client := dial(t, p)
	client.send(upgradeRequest)
	client.head()
	ctx, cancel := context.WithCancel(t.Context())
	done := shutDown(ctx, p)
	client.send("still")
	equal(t, "echo", client.take(5), "still")
	select {
	case err := <-done:
		t.Fatalf("Shutdown did not wait: %v", err)
	default:
	}
	cancel()
	client.ended()
	receive(t, "end of the tunnel", appEnded)
	if err := receive(t, "end", done); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: got %v, want %v", err, context.Canceled)
	}
	equal(t, "connections", p.Stats().Connections, 0)
	equal(t, "tunnels", p.Stats().Tunnels, 0)
}

func TestRequestsAreCutAtTheEndOfTheDrain(t *testing.T) {
	began := make(chan bool, 3)
	app := startApp(t, func(w *wire) {
		w.head()
		began <- true
		w.rest()
	})
	p := startProxy(t, app, nil)
	var clients []*wire
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
	} {
		client := dial(t, p)
		client.send(request)
		clients = append(clients, client)
		receive(t, "request", began)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: got %v, want %v", err, context.Canceled)
	}
	for _, client := range clients {
		client.rest()
	}
	equal(t, "connections", p.Stats().Connections, 0)
}

func TestAProxyThatNeverServedShutsDown(t *testing.T) {
	p, err := New(Config{App: "http://127.0.0.1:1", Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Shutdown", p.Shutdown(t.Context()), nil)
}

func TestATakenPortIsAnError(t *testing.T) {
	p := startProxy(t, startApp(t, serving(ok)), nil)
	other, err := New(Config{App: "http://127.0.0.1:1", Listen: p.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Listen(); err == nil || !strings.Contains(err.Error(), "cannot listen for participants") {
		t.Errorf("got %v", err)
	}
}

func TestSlowHeadsAreCutAndSilentConnectionsClosedWithoutAWord(t *testing.T) {
	short := 50 * time.Millisecond
	app := startApp(t, serving(ok))
	p := startProxy(t, app, func(c *Config) { c.HeaderTimeout = short })
	slow, silent := dial(t, p), dial(t, p)
	slow.send("GET / HTTP/1.1\r\nHo")
	if got, _ := slow.rest(); !strings.HasPrefix(got, "HTTP/1.1 408 ") {
		t.Errorf("got %q, want 408", got)
	}
	silent.ended()
	idle := dial(t, startProxy(t, app, func(c *Config) { c.IdleTimeout = short }))
	idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "answer", idle.take(len(ok)), ok)
	idle.ended()
}

func TestConnectionsBeyondTheLimitAreAnswered503(t *testing.T) {
	p := startProxy(t, startApp(t, serving(ok)), func(c *Config) { c.Concurrency = 2 })
	f := func() string {
		client := dial(t, p)
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		return client.head()
	}
	established := dial(t, p)
	for range 2 {
		established.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "answer", established.take(len(ok)), ok)
		if p.Stats().Connections < 2 {
			equal(t, "answer", f(), ok[:len(ok)-2])
		}
	}
	if head := f(); !strings.HasPrefix(head, "HTTP/1.1 503 ") || !strings.Contains(head, "\r\nRetry-After: ") {
		t.Errorf("got %q, want 503 with Retry-After", head)
	}
	equal(t, "overloaded", p.Stats().Overloaded, 1)
	established.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "answer to who was here before", established.take(len(ok)), ok)
	equal(t, "length of the text", len(overloaded)-strings.Index(overloaded, "\r\n\r\n")-4, 42)
}

// shortOfFiles is a listener that has run out of file descriptors for a while.
type shortOfFiles struct {
	net.Listener
	failures int
}

func (l *shortOfFiles) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestRunningOutOfFilesDoesNotEndTheListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := New(Config{App: "http://127.0.0.1:1", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	proxied := &listener{Listener: &shortOfFiles{l, 2}, clients: p.clients, config: &Config{Concurrency: 1}, warnings: p.warnings, counters: &p.counters}
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

func TestAPanicOfOursEndsOneRequestOnly(t *testing.T) {
	f := func(name, request string, sabotage func(*exchange)) {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, startApp(t, serving(ok)), nil)
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
			if got, _ := broken.rest(); got != "" && !strings.HasPrefix(got, "HTTP/1.1 502 ") {
				t.Errorf("got %q, want nothing or 502", got)
			}
			client := dial(t, p)
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			equal(t, "next answer", client.take(len(ok)), ok)
			if p.Stats().Panics == 0 {
				t.Error("no panic was counted")
			}
		})
	}
	const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	const post = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
	f("sending", get, func(e *exchange) { e.upload.toApp = nil })
	f("relaying", get, func(e *exchange) { e.response.fromApp = nil })
	f("relaying beside an upload", post, func(e *exchange) { e.response.fromApp = nil })
	f("answering", get, func(e *exchange) { e.response.toClient = nil })
}
