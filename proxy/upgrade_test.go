package proxy

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
)

const (
	upgradeRequest  = "GET /hub HTTP/1.1\r\nHost: h\r\nconnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"
	upgradeResponse = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nConnection: Upgrade\r\nsec-websocket-accept: y\r\n\r\n"
)

func TestTunnelPassesEveryByteBothWays(t *testing.T) {
	app := startApp(t, func(w *testConn) {
		equal(t, "request", w.readHead(), upgradeRequest)
		w.send(upgradeResponse + "glued")
		equal(t, "early bytes", w.readN(5), "early")
		io.Copy(w.TCPConn, w.in) // echo
	})
	client := dial(t, startProxy(t, app, nil))
	client.send(upgradeRequest + "early")
	equal(t, "response", client.readHead(), upgradeResponse)
	equal(t, "glued bytes", client.readN(5), "glued")

	frame, frames := pattern(1<<20), 64
	if testing.Short() {
		frames = 8
	}
	go func() {
		for range frames {
			client.send(frame)
		}
		client.CloseWrite()
	}()
	for range frames {
		if client.readN(len(frame)) != frame {
			t.Fatal("the echo differs")
		}
	}
	client.expectEnd()
}

func TestTunnelPassesHalfCloses(t *testing.T) {
	t.Run("of the participant", func(t *testing.T) {
		app := startApp(t, func(w *testConn) {
			w.readHead()
			w.send(upgradeResponse)
			got, _ := w.readAll() // up to the half-close
			w.send("after " + got)
		})
		client := dial(t, startProxy(t, app, nil))
		client.send(upgradeRequest)
		client.readHead()
		client.send("bye")
		client.CloseWrite()
		got, _ := client.readAll()
		equal(t, "response", got, "after bye")
	})
	t.Run("of the app", func(t *testing.T) {
		requests := make(chan string, 1)
		app := startApp(t, func(w *testConn) {
			w.readHead()
			w.send(upgradeResponse + "bye")
			w.CloseWrite()
			got, _ := w.readAll()
			requests <- got
		})
		client := dial(t, startProxy(t, app, nil))
		client.send(upgradeRequest)
		client.readHead()
		got, _ := client.readAll()
		equal(t, "response", got, "bye")
		client.send("after")
		client.CloseWrite()
		equal(t, "request", receive(t, "bytes", requests), "after")
	})
}

func TestIdleTunnelStaysOpen(t *testing.T) {
	short := 200 * time.Millisecond
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.send(upgradeResponse)
		io.Copy(w.TCPConn, w.in)
	})
	p := startProxy(t, app, func(c *Config) { c.HeaderTimeout, c.IdleTimeout, c.ResponseTimeout = short, short, short })
	client := dial(t, p)
	client.send(upgradeRequest)
	client.readHead()
	eventually(t, "one tunnel is open", func() bool { return p.Stats().Tunnels == 1 })
	<-time.After(3 * short / 2) // longer than any timeout
	client.send("still here")
	equal(t, "echo", client.readN(10), "still here")
	client.Close()
	eventually(t, "no tunnel is open", func() bool { return p.Stats().Tunnels == 0 && p.Stats().Connections == 0 })
}

func TestRefusedUpgradeGetsAnOrdinaryResponse(t *testing.T) {
	responses := make(chan string, 1)
	app := startApp(t, func(w *testConn) {
		for w.readHead() != "" {
			w.send(<-responses)
		}
	})
	client := dial(t, startProxy(t, app, nil))
	for _, response := range []string{
		okResponse,
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad",
		"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
		"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
	} {
		client.send(upgradeRequest)
		responses <- response
		equal(t, "response", client.readN(len(response)), response)
	}
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	responses <- okResponse
	equal(t, "next response", client.readN(len(okResponse)), okResponse)
	equal(t, "connections to the app", app.conns.Load(), 4) // one per upgrade, the last of which is reused
}

func TestIncompleteUpgradeIsAnOrdinaryRequest(t *testing.T) {
	f := func(request, want string) {
		t.Helper()
		got := make(chan string, 1)
		app := startApp(t, func(w *testConn) {
			got <- w.readHead()
			w.send(okResponse)
		})
		client := dial(t, startProxy(t, app, nil))
		client.send(request)
		equal(t, "request", receive(t, "request", got), want)
		client.readHead()
	}
	const plain = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	f("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n", plain)
	f("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n\r\n", plain)
	f("GET / HTTP/1.0\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", plain)
	f("POST / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n")
}

func TestWatchedUpgradeIsAnExchange(t *testing.T) {
	exchanges := make(chan rules.Exchange, 1)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.send(upgradeResponse)
	})
	client := dial(t, startProxy(t, app, func(c *Config) { c.Watcher = watchAll(exchanges) }))
	client.send(upgradeRequest)
	equal(t, "status", receive(t, "exchange", exchanges).Status, 101)
	if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		t.Errorf("got %q, want 101", head)
	}
}
