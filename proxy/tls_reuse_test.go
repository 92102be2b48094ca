package proxy

import (
	"context"
	"crypto/tls"
	"strings"
	"sync/atomic"
	"testing"
)

func TestTLSConnectionIsReused(t *testing.T) {
	own := localhostCertificate(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			states := make(chan tls.ConnectionState, 1)
			app := startTLSApp(t, &tls.Config{
				Certificates: []tls.Certificate{own.certificate}, NextProtos: []string{"h2", "http/1.1"}, MaxVersion: version,
			}, func(w *tlsTestConn) {
				states <- w.conn.ConnectionState()
				for w.readHead() != "" {
					w.send(okResponse)
				}
			})
			p := startProxy(t, app, func(c *Config) { c.App, c.AppTLS = httpsAddress(app), &tls.Config{RootCAs: own.pool} })
			client := dial(t, p)
			for range 5 {
				client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				equal(t, "response", client.readN(len(okResponse)), okResponse)
			}
			state := receive(t, "handshake", states)
			equal(t, "protocol", state.NegotiatedProtocol, "http/1.1")
			equal(t, "server name", state.ServerName, "localhost")
			equal(t, "connections", app.conns.Load(), 1)
		})
	}
}

func TestSessionTicketDoesNotSpoilAnIdleConnection(t *testing.T) {
	own, shaken := localhostCertificate(t), make(chan bool, 1)
	app := startTLSApp(t, &tls.Config{Certificates: []tls.Certificate{own.certificate}}, func(w *tlsTestConn) {
		shaken <- true
		w.readHead()
		w.send("late")
		w.readAll()
	})
	to, err := parseApp(httpsAddress(app), &tls.Config{RootCAs: own.pool})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	conn, err := to.dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	receive(t, "handshake", shaken)
	unread := func() bool { return conn.transport.(*tlsConn).beneath.state() == peerReadable }
	eventually(t, "the tickets are there, unread", unread)
	for range 2 {
		if !conn.isIdle() {
			t.Fatal("a ticket is taken for data")
		}
	}
	equal(t, "tickets unread", unread(), false)
	conn.send([]byte("GET / HTTP/1.1\r\n\r\n"))
	eventually(t, "the response is there, unread", unread)
	equal(t, "idle after a response", conn.isIdle(), false)
}

func TestTLSConnectionClosedWhileIdleIsNotUsed(t *testing.T) {
	f := func(name string, end func(w *tlsTestConn)) {
		t.Run(name, func(t *testing.T) {
			closed := make(chan bool, 1)
			p, _ := startTLSProxy(t, func(w *tlsTestConn) {
				w.readHead()
				equal(t, "body", w.readN(1), "x")
				end(w)
				closed <- true
			}, nil)
			client := dial(t, p)
			for range 100 {
				client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
				if got := client.readN(len(okResponse)); got != okResponse {
					t.Fatalf("got %q, want %q", got, okResponse)
				}
				receive(t, "close", closed)
			}
			equal(t, "broken responses", p.Stats().AppBroken, 0)
		})
	}
	f("with close_notify", func(w *tlsTestConn) { w.send(okResponse); w.conn.Close() })
	f("with close_notify alone", func(w *tlsTestConn) { w.send(okResponse); w.conn.CloseWrite() })
	f("with close_notify right after the response", func(w *tlsTestConn) {
		w.cork.holds = true
		w.send(okResponse)
		w.conn.CloseWrite()
		w.cork.uncork()
	})
	f("without close_notify", func(w *tlsTestConn) { w.send(okResponse); w.Close() })
}

func TestUnsolicitedDataOverTLSReachesNobody(t *testing.T) {
	const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
	f := func(name string, say func(w *tlsTestConn)) {
		t.Run(name, func(t *testing.T) {
			sent := make(chan bool, 1)
			p, _ := startTLSProxy(t, func(w *tlsTestConn) {
				for w.readHead() != "" {
					say(w)
					sent <- true
				}
			}, nil)
			client := dial(t, p)
			for range 20 {
				client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				equal(t, "response", client.readN(len(okResponse)), okResponse)
				receive(t, "poison", sent)
			}
			client.expectNothing()
		})
	}
	f("later", func(w *tlsTestConn) { w.send(okResponse); w.send(poison) })
	f("in the same record", func(w *tlsTestConn) { w.send(okResponse + poison) })
	f("in a record that was read ahead", func(w *tlsTestConn) {
		w.cork.holds = true
		w.send(okResponse)
		w.send(poison)
		w.cork.uncork()
	})
}

func TestUnsolicitedDataDuringAnUploadOverTLSEndsTheConnection(t *testing.T) {
	sent := make(chan bool, 1)
	p, app := startTLSProxy(t, func(w *tlsTestConn) {
		for w.readHead() != "" {
			w.send(okResponse)
			w.send("x")
			sent <- true
			equal(t, "body", w.readN(4), "abcd")
		}
	}, nil)
	client := dial(t, p)
	for range 3 {
		client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab")
		equal(t, "response", client.readN(len(okResponse)), okResponse)
		receive(t, "unsolicited byte", sent)
		client.send("cd")
	}
	equal(t, "connections", app.conns.Load(), 3)
}

func TestTLSConnectionIsKeptAfterAnEarlyResponse(t *testing.T) {
	p, app := startTLSProxy(t, func(w *tlsTestConn) {
		for w.readHead() != "" {
			w.send(okResponse)
			equal(t, "body", w.readN(4), "abcd")
		}
	}, nil)
	client := dial(t, p)
	for range 3 {
		client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab")
		equal(t, "response", client.readN(len(okResponse)), okResponse)
		client.send("cd")
	}
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd")
	equal(t, "response", client.readN(len(okResponse)), okResponse)
	equal(t, "connections", app.conns.Load(), 1)
}

func TestUnsafeRequestIsSentOnceOverTLS(t *testing.T) {
	f := func(method, wantStatus string, wantSeen int64) {
		t.Run(method, func(t *testing.T) {
			var seen atomic.Int64
			p, _ := startTLSProxy(t, func(w *tlsTestConn) {
				for w.readHead() != "" {
					if seen.Add(1) == 2 { // and close, as in a crash
						return
					}
					w.send(okResponse)
				}
			}, nil)
			client := dial(t, p)
			request := method + " / HTTP/1.1\r\nHost: h\r\n\r\n"
			client.send(request)
			equal(t, "first", client.readN(len(okResponse)), okResponse)
			client.send(request)
			if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 "+wantStatus) {
				t.Errorf("got %q, want %s", head, wantStatus)
			}
			equal(t, "seen by the app", seen.Load(), wantSeen)
		})
	}
	f("POST", "502", 2)
	f("PUT", "502", 2)
	f("GET", "200", 3)
}
