package proxy

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestARequestIsSentOnceWhenTheAppBreaksOff(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		var seen atomic.Int64
		app := startApp(t, func(w *wire) {
			w.head()
			w.send(ok)
			if w.head() != "" { // and then close, as if it had crashed
				seen.Add(1)
			}
		})
		p := startProxy(t, app, nil)
		client := dial(t, p)
		request := method + " / HTTP/1.1\r\nHost: h\r\n\r\n"
		client.send(request)
		equal(t, method, client.take(len(ok)), ok)
		client.send(request)
		if head := client.head(); !strings.HasPrefix(head, "HTTP/1.1 502 ") {
			t.Errorf("%s: got %q, want 502", method, head)
		}
		equal(t, method+" seen", seen.Load(), 1)
		equal(t, method+" sent again", p.Stats().Resent, 0)
	}
}

func TestAGetIsSentAgainOnlyOnAKeptConnectionThatSaidNothing(t *testing.T) {
	f := func(name string, last func(w *wire), wantStatus string, wantSeen int64) {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Int64
			app := startApp(t, func(w *wire) {
				for head := w.head(); head != ""; head = w.head() {
					if seen.Add(1) == 2 {
						last(w)
						return
					}
					w.send(ok)
				}
			})
			client := dial(t, startProxy(t, app, nil))
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			equal(t, "first", client.take(len(ok)), ok)
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			if head := client.head(); !strings.HasPrefix(head, "HTTP/1.1 "+wantStatus) {
				t.Errorf("got %q, want %s", head, wantStatus)
			}
			equal(t, "seen by the app", seen.Load(), wantSeen)
		})
	}
	f("silent", func(*wire) {}, "200", 3)
	f("after half a head", func(w *wire) { w.send("HTTP/1.1 2") }, "502", 2)
	f("after an interim answer", func(w *wire) { w.send("HTTP/1.1 102 Processing\r\n\r\n") }, "102", 2)

	var seen atomic.Int64
	app := startApp(t, func(w *wire) { // each time on a fresh connection
		w.head()
		seen.Add(1)
	})
	client := dial(t, startProxy(t, app, nil))
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if head := client.head(); !strings.HasPrefix(head, "HTTP/1.1 502 ") {
		t.Errorf("got %q, want 502", head)
	}
	equal(t, "seen on a fresh connection", seen.Load(), 1)
}

func TestAConnectionThatTheAppClosedIdleIsNotUsed(t *testing.T) {
	cycles := 10000
	if testing.Short() {
		cycles = 500
	}
	closed := make(chan bool, 1)
	app := startApp(t, func(w *wire) {
		w.head()
		equal(t, "body", w.take(1), "x")
		w.send(ok)
		w.Close()
		closed <- true
	})
	p := startProxy(t, app, nil)
	client := dial(t, p)
	for range cycles {
		client.SetDeadline(time.Now().Add(patience))
		client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
		if got := client.take(len(ok)); got != ok {
			t.Fatalf("got %q, want %q", got, ok)
		}
		receive(t, "close", closed)
	}
	equal(t, "broken answers", p.Stats().AppBroken, 0)
}

func TestWhatTheAppSaysUnaskedReachesNobody(t *testing.T) {
	said := make(chan bool, 1)
	app := startApp(t, func(w *wire) {
		for w.head() != "" {
			w.send(ok)
			w.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
			said <- true
		}
	})
	p := startProxy(t, app, nil)
	client := dial(t, p)
	for range 100 {
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "answer", client.take(len(ok)), ok)
		receive(t, "poison", said)
	}
	client.isEmpty()
}

func TestAConnectionThatSomebodyLoggedInOnIsNotShared(t *testing.T) {
	app := startApp(t, serving(ok))
	client := dial(t, startProxy(t, app, nil))
	for _, auth := range []string{"NTLM abc", "negotiate abc", "Basic abc", "Bearer abc"} {
		client.send("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: " + auth + "\r\n\r\n")
		equal(t, "answer", client.take(len(ok)), ok)
	}
	equal(t, "connections to the app", app.conns.Load(), 3)
}

func TestManySlowRequestsAreAllServed(t *testing.T) {
	const many = 600
	var waiting atomic.Int64
	proceed := make(chan bool)
	app := startApp(t, func(w *wire) {
		w.head()
		if waiting.Add(1) == many {
			close(proceed)
		}
		<-proceed
		w.send(ok)
	})
	p := startProxy(t, app, nil)
	clients := make([]*wire, many)
	for i := range clients {
		clients[i] = dial(t, p)
		clients[i].send(fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i))
	}
	for _, client := range clients {
		equal(t, "answer", client.take(len(ok)), ok)
	}
}

func TestIdleConnectionsToTheAppAreClosedInTime(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pool := newPool(app{network: "tcp", address: l.Addr().String()}, time.Second)
	defer pool.close(true)
	var conns []*appConn
	for range 3 {
		conn, err := pool.get()
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		pool.put(conn)
	}
	pool.idle[0].idleSince = clock() - 2*keepIdle
	pool.idle[1].idleSince = clock() - 2*keepIdle
	pool.reap()
	equal(t, "kept", len(pool.idle), 1)
	equal(t, "open", len(pool.open), 1)
	if conn, err := pool.get(); err != nil || conn != conns[2] {
		t.Errorf("got %v, %v, want the connection used last", conn, err)
	}
}
