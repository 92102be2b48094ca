package proxy

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestUnsafeRequestIsSentOnceWhenTheAppBreaksOff(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		var seen atomic.Int64
		app := startApp(t, func(w *testConn) {
			w.readHead()
			w.send(okResponse)
			if w.readHead() != "" { // and close, as in a crash
				seen.Add(1)
			}
		})
		p := startProxy(t, app, nil)
		client := dial(t, p)
		request := method + " / HTTP/1.1\r\nHost: h\r\n\r\n"
		client.send(request)
		equal(t, method, client.readN(len(okResponse)), okResponse)
		client.send(request)
		if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 502 ") {
			t.Errorf("%s: got %q, want 502", method, head)
		}
		equal(t, method+" seen", seen.Load(), 1)
		equal(t, method+" resent", p.Stats().Resent, 0)
	}
}

func TestGetIsResentOnlyIfAKeptConnectionClosedWithoutAResponse(t *testing.T) {
	f := func(name string, last func(w *testConn), wantStatus string, wantSeen int64) {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Int64
			app := startApp(t, func(w *testConn) {
				for head := w.readHead(); head != ""; head = w.readHead() {
					if seen.Add(1) == 2 {
						last(w)
						return
					}
					w.send(okResponse)
				}
			})
			client := dial(t, startProxy(t, app, nil))
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			equal(t, "first", client.readN(len(okResponse)), okResponse)
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 "+wantStatus) {
				t.Errorf("got %q, want %s", head, wantStatus)
			}
			equal(t, "seen by the app", seen.Load(), wantSeen)
		})
	}
	f("silent", func(*testConn) {}, "200", 3)
	f("after half a head", func(w *testConn) { w.send("HTTP/1.1 2") }, "502", 2)
	f("after an interim response", func(w *testConn) { w.send("HTTP/1.1 102 Processing\r\n\r\n") }, "102", 2)

	var seen atomic.Int64
	app := startApp(t, func(w *testConn) { // never on a kept connection
		w.readHead()
		seen.Add(1)
	})
	client := dial(t, startProxy(t, app, nil))
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 502 ") {
		t.Errorf("got %q, want 502", head)
	}
	equal(t, "seen on a fresh connection", seen.Load(), 1)
}

func TestConnectionClosedWhileIdleIsNotUsed(t *testing.T) {
	cycles := 10000
	if testing.Short() {
		cycles = 500
	}
	closed := make(chan bool, 1)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		equal(t, "body", w.readN(1), "x")
		w.send(okResponse)
		w.Close()
		closed <- true
	})
	p := startProxy(t, app, nil)
	client := dial(t, p)
	for range cycles {
		client.SetDeadline(time.Now().Add(testTimeout))
		client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
		if got := client.readN(len(okResponse)); got != okResponse {
			t.Fatalf("got %q, want %q", got, okResponse)
		}
		receive(t, "close", closed)
	}
	equal(t, "broken responses", p.Stats().AppBroken, 0)
}

func TestUnsolicitedDataReachesNobody(t *testing.T) {
	sent := make(chan bool, 1)
	app := startApp(t, func(w *testConn) {
		for w.readHead() != "" {
			w.send(okResponse)
			w.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
			sent <- true
		}
	})
	p := startProxy(t, app, nil)
	client := dial(t, p)
	for range 100 {
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "response", client.readN(len(okResponse)), okResponse)
		receive(t, "poison", sent)
	}
	client.expectNothing()
}

func TestAuthenticatedConnectionIsNotShared(t *testing.T) {
	app := startApp(t, respondWith(okResponse))
	client := dial(t, startProxy(t, app, nil))
	for _, auth := range []string{"NTLM abc", "negotiate abc", "Basic abc", "Bearer abc"} {
		client.send("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: " + auth + "\r\n\r\n")
		equal(t, "response", client.readN(len(okResponse)), okResponse)
	}
	equal(t, "connections to the app", app.conns.Load(), 3)
}

func TestManySlowRequestsAreAllServed(t *testing.T) {
	const many = 600
	var waiting atomic.Int64
	proceed := make(chan bool)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		if waiting.Add(1) == many {
			close(proceed)
		}
		<-proceed
		w.send(okResponse)
	})
	p := startProxy(t, app, nil)
	clients := make([]*testConn, many)
	for i := range clients {
		clients[i] = dial(t, p)
		clients[i].send(fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i))
	}
	for _, client := range clients {
		equal(t, "response", client.readN(len(okResponse)), okResponse)
	}
}

func TestIdleConnectionsToTheAppAreClosedAfterAWhile(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pool := newPool(app{network: "tcp", address: l.Addr().String()}, time.Second, 10)
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

func TestAnIdleConnectionToTheAppMakesRoomForANewOne(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pool := newPool(app{network: "tcp", address: l.Addr().String()}, time.Second, 2)
	defer pool.close(true)
	dial := func() *appConn {
		t.Helper()
		conn, err := pool.dial()
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	first, second := dial(), dial()
	pool.put(first)
	pool.put(second)
	dial() // as for a tunnel, which needs a new one
	equal(t, "open", len(pool.open), 2)
	equal(t, "kept", len(pool.idle), 1)
	if conn, err := pool.get(); err != nil || conn != second {
		t.Errorf("got %v, %v, want the connection used last", conn, err)
	}
}
