package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// startShutdown shuts p down, and returns a channel for its error.
func startShutdown(ctx context.Context, p *Proxy) <-chan error {
	done := make(chan error, 1)
	go func() { done <- p.Shutdown(ctx) }()
	return done
}

func TestShutdownLetsRequestsFinishAndClosesIdleConnections(t *testing.T) {
	proceed, began := make(chan bool), make(chan bool, 1)
	app := startApp(t, func(w *testConn) {
		for head := w.readHead(); head != ""; head = w.readHead() {
			if strings.Contains(head, "/slow") {
				began <- true
				<-proceed
			}
			w.send(okResponse)
		}
	})
	p := startProxy(t, app, nil)
	idle, fresh, busy := dial(t, p), dial(t, p), dial(t, p)
	idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	idle.readN(len(okResponse))
	busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	receive(t, "request", began)
	done := startShutdown(t.Context(), p)
	idle.expectEnd()
	fresh.expectEnd()
	if conn, err := net.Dial("tcp", p.Addr().String()); err == nil {
		newTestConn(t, conn).expectEnd()
		conn.Close()
	}
	if err := p.Ready(t.Context()); !errors.Is(err, errDraining) {
		t.Errorf("Ready: got %v, want %v", err, errDraining)
	}
	close(proceed)
	want := strings.Replace(okResponse, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
	got, _ := busy.readAll()
	equal(t, "response", got, want)
	equal(t, "Shutdown", receive(t, "end", done), nil)
	equal(t, "connections", p.Stats().Connections, 0)
}

func TestUnusedConnectionDoesNotDelayShutdown(t *testing.T) {
	p := startProxy(t, startApp(t, respondWith(okResponse)), nil)
	client := dial(t, p)
	eventually(t, "somebody is connected", func() bool { return p.Stats().Connections == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // fasthttp's own takes five seconds
	defer cancel()
	equal(t, "Shutdown", p.Shutdown(ctx), nil)
	client.expectEnd()
}

func TestShutdownKeepsConnectionsWithAnUnreadRequest(t *testing.T) {
	p := newProxy(t, startApp(t, respondWith(okResponse)), nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	connect := func(idle bool) (*clientConn, *testConn) {
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
		return client, newTestConn(t, participant)
	}
	unread, participant := connect(true)
	participant.send("x")
	busy, _ := connect(false)
	quiet, _ := connect(true)
	eventually(t, "the byte has arrived", func() bool { return unread.socket.state() == peerReadable })
	p.clients.closeIdle()
	isOpen := func(c *clientConn) bool { return c.SetReadDeadline(time.Time{}) == nil }
	equal(t, "open with an unread request", isOpen(unread), true)
	equal(t, "open with a request in flight", isOpen(busy), true)
	equal(t, "open while idle", isOpen(quiet), false)
}

func TestRequestOnAConnectionBeingClosedIsNeitherPassedOnNorAnswered(t *testing.T) {
	app := startApp(t, respondWith(okResponse))
	p := startProxy(t, app, nil)
	client := dial(t, p)
	eventually(t, "a shutdown has claimed the connection", func() bool {
		p.clients.mu.Lock()
		defer p.clients.mu.Unlock()
		for conn := range p.clients.open {
			return conn.idle.CompareAndSwap(true, false)
		}
		return false
	})
	client.send("POST / HTTP/1.1\r\nHost: h\r\n\r\n")
	client.expectEnd()
	equal(t, "connections to the app", app.conns.Load(), 0)
}

// TestShutdownLosesNoResponse makes sure that a request that crosses a shutdown
// reaches the app only if the participant gets the response.
func TestShutdownLosesNoResponse(t *testing.T) {
	for range 30 {
		var seen atomic.Int64
		app := startApp(t, func(w *testConn) {
			for w.readHead() != "" {
				seen.Add(1)
				w.send(okResponse)
			}
		})
		p := startProxy(t, app, nil)
		var clients []*testConn
		for range 8 {
			client := dial(t, p)
			client.send("POST / HTTP/1.1\r\nHost: h\r\n\r\n")
			client.readN(len(okResponse))
			clients = append(clients, client)
		}
		before, responses := seen.Load(), 0
		done := startShutdown(t.Context(), p)
		for _, client := range clients {
			client.send("POST / HTTP/1.1\r\nHost: h\r\n\r\n")
		}
		for _, client := range clients {
			if head := client.readHead(); strings.HasPrefix(head, "HTTP/1.1 200 ") {
				responses++
			} else if head != "" {
				t.Errorf("got %q", head)
			}
		}
		equal(t, "Shutdown", receive(t, "end", done), nil)
		equal(t, "responses", int64(responses), seen.Load()-before)
	}
}

func TestTunnelsAreClosedWhenTheDrainTimesOut(t *testing.T) {
	appEnded := make(chan bool)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.send(upgradeResponse)
		io.Copy(w.TCPConn, w.in)
		close(appEnded)
	})
	p := startProxy(t, app, nil)
	client := dial(t, p)
	client.send(upgradeRequest)
	client.readHead()
	ctx, cancel := context.WithCancel(t.Context())
	done := startShutdown(ctx, p)
	client.send("still")
	equal(t, "echo", client.readN(5), "still")
	select {
	case err := <-done:
		t.Fatalf("Shutdown did not wait: %v", err)
	default:
	}
	cancel()
	client.expectEnd()
	receive(t, "end of the tunnel", appEnded)
	if err := receive(t, "end", done); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: got %v, want %v", err, context.Canceled)
	}
	equal(t, "connections", p.Stats().Connections, 0)
	equal(t, "tunnels", p.Stats().Tunnels, 0)
}

func TestRequestsAreCutWhenTheDrainTimesOut(t *testing.T) {
	began := make(chan bool, 3)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		began <- true
		w.readAll()
	})
	p := startProxy(t, app, nil)
	var clients []*testConn
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
		client.readAll()
	}
	equal(t, "connections", p.Stats().Connections, 0)
}

func TestProxyThatNeverServedShutsDown(t *testing.T) {
	p, err := New(Config{App: "http://127.0.0.1:1", Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Shutdown", p.Shutdown(t.Context()), nil)
}
