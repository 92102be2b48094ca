package proxy

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
)

const (
	upgradeRequest = "GET /hub HTTP/1.1\r\nHost: h\r\nconnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"
	upgradeAnswer  = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nConnection: Upgrade\r\nsec-websocket-accept: y\r\n\r\n"
)

func TestATunnelPassesEveryByteBothWays(t *testing.T) {
	app := startApp(t, func(w *wire) {
		equal(t, "request", w.head(), upgradeRequest)
		w.send(upgradeAnswer + "glued")
		equal(t, "early bytes", w.take(5), "early")
		io.Copy(w.TCPConn, w.in) // echo
	})
	client := dial(t, startProxy(t, app, nil))
	client.send(upgradeRequest + "early")
	equal(t, "answer", client.head(), upgradeAnswer)
	equal(t, "glued bytes", client.take(5), "glued")

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
		if client.take(len(frame)) != frame {
			t.Fatal("the echo differs")
		}
	}
	client.ended()
}

func TestATunnelPassesHalfCloses(t *testing.T) {
	t.Run("of the participant", func(t *testing.T) {
		app := startApp(t, func(w *wire) {
			w.head()
			w.send(upgradeAnswer)
			got, _ := w.rest() // up to the half-close
			w.send("after " + got)
		})
		client := dial(t, startProxy(t, app, nil))
		client.send(upgradeRequest)
		client.head()
		client.send("bye")
		client.CloseWrite()
		got, _ := client.rest()
		equal(t, "answer", got, "after bye")
	})
	t.Run("of the app", func(t *testing.T) {
		heard := make(chan string, 1)
		app := startApp(t, func(w *wire) {
			w.head()
			w.send(upgradeAnswer + "bye")
			w.CloseWrite()
			got, _ := w.rest()
			heard <- got
		})
		client := dial(t, startProxy(t, app, nil))
		client.send(upgradeRequest)
		client.head()
		got, _ := client.rest()
		equal(t, "answer", got, "bye")
		client.send("after")
		client.CloseWrite()
		equal(t, "request", receive(t, "bytes", heard), "after")
	})
}

func TestAnIdleTunnelStaysOpen(t *testing.T) {
	short := 200 * time.Millisecond
	app := startApp(t, func(w *wire) {
		w.head()
		w.send(upgradeAnswer)
		io.Copy(w.TCPConn, w.in)
	})
	p := startProxy(t, app, func(c *Config) { c.HeaderTimeout, c.IdleTimeout, c.ResponseTimeout = short, short, short })
	client := dial(t, p)
	client.send(upgradeRequest)
	client.head()
	eventually(t, "one tunnel is open", func() bool { return p.Stats().Tunnels == 1 })
	<-time.After(3 * short / 2) // longer than any timeout
	client.send("still here")
	equal(t, "echo", client.take(10), "still here")
	client.Close()
	eventually(t, "no tunnel is open", func() bool { return p.Stats().Tunnels == 0 && p.Stats().Connections == 0 })
}

func TestARefusedUpgradeIsAnAnswer(t *testing.T) {
	answers := make(chan string, 1)
	app := startApp(t, func(w *wire) {
		for w.head() != "" {
			w.send(<-answers)
		}
	})
	client := dial(t, startProxy(t, app, nil))
	for _, answer := range []string{
		ok,
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad",
		"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
		"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
	} {
		client.send(upgradeRequest)
		answers <- answer
		equal(t, "answer", client.take(len(answer)), answer)
	}
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	answers <- ok
	equal(t, "next answer", client.take(len(ok)), ok)
	equal(t, "connections to the app", app.conns.Load(), 4) // one for each upgrade, of which one is used again
}

func TestAnUpgradeThatIsNoneIsARequest(t *testing.T) {
	f := func(request, want string) {
		t.Helper()
		got := make(chan string, 1)
		app := startApp(t, func(w *wire) {
			got <- w.head()
			w.send(ok)
		})
		client := dial(t, startProxy(t, app, nil))
		client.send(request)
		equal(t, "request", receive(t, "request", got), want)
		client.head()
	}
	const plain = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	f("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n", plain)
	f("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n\r\n", plain)
	f("GET / HTTP/1.0\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", plain)
	f("POST / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n")
}

func TestAWatchedUpgradeIsAnExchange(t *testing.T) {
	heard := make(chan rules.Exchange, 1)
	app := startApp(t, func(w *wire) {
		w.head()
		w.send(upgradeAnswer)
	})
	client := dial(t, startProxy(t, app, func(c *Config) { c.Watcher = watchAll(heard) }))
	client.send(upgradeRequest)
	equal(t, "status", receive(t, "exchange", heard).Status, 101)
	if head := client.head(); !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		t.Errorf("got %q, want 101", head)
	}
}
