package proxy

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestEarlyResponseReachesTheUploader(t *testing.T) {
	const size = 20 << 20
	const earlyResponse = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nstop"
	f := func(name string, script func(*testConn), want string) {
		t.Run(name, func(t *testing.T) {
			client := dial(t, startProxy(t, startApp(t, script), nil))
			done := make(chan bool)
			go func() {
				defer close(done)
				client.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size))
				for piece, sent := pattern(64<<10), 0; sent < size; sent += len(piece) {
					client.send(piece)
				}
			}()
			equal(t, "response", client.readN(len(want)), want)
			client.Close()
			<-done
		})
	}
	f("app stops reading", func(w *testConn) {
		w.readHead()
		w.send(earlyResponse)
		w.CloseWrite()
		w.readAll()
	}, strings.Replace(earlyResponse, "Connection: close\r\nContent-Length: 4", "Content-Length: 4\r\nConnection: close", 1))
	f("app reads on", func(w *testConn) {
		w.readHead()
		w.send("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
		w.readAll()
	}, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
}

func TestConnectionsAreKeptAfterAnEarlyResponse(t *testing.T) {
	hasResponse := make(chan bool)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.send(okResponse)
		<-hasResponse
		equal(t, "body", w.readN(5), "abcde")
		respondWith(okResponse)(w)
	})
	client := dial(t, startProxy(t, app, nil))
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
	equal(t, "early response", client.readN(len(okResponse)), okResponse)
	close(hasResponse)
	client.send("cdeGET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "next response", client.readN(len(okResponse)), okResponse)
	equal(t, "connections to the app", app.conns.Load(), 1)
}

// startLingeringProxy starts a proxy with another linger than the default.
func startLingeringProxy(t *testing.T, linger time.Duration, script func(*testConn)) *Proxy {
	p := newProxy(t, startApp(t, script), nil)
	p.linger = linger
	serve(t, p)
	return p
}

func TestUploadContinuesAfterAnEarlyResponseWhileTheAppReads(t *testing.T) {
	const pause = 20 * time.Millisecond
	f := func(name, response, want string) {
		t.Run(name, func(t *testing.T) {
			body := make(chan string, 1)
			p := startLingeringProxy(t, pause, func(w *testConn) {
				w.readHead()
				w.send(response)
				body <- w.readN(5)
			})
			client := dial(t, p)
			client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
			equal(t, "early response", client.readN(len(want)), want)
			<-time.After(3 * pause)
			client.send("cde")
			equal(t, "body", receive(t, "body", body), "abcde")
		})
	}
	f("kept", okResponse, okResponse)
	f("closing", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
}

func TestRejectedUploadIsReadToItsEnd(t *testing.T) {
	const linger, pause, pieces = time.Second, 50 * time.Millisecond, 24
	f := func(name, wantStatus string, script func(*testConn)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := dial(t, startLingeringProxy(t, linger, script))
			client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nab")
			for range pieces { // longer than linger in all
				<-time.After(pause)
				if _, err := client.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			got, err := client.readAll() // which comes with the end of the connection
			equal(t, "error", err, nil)
			if !strings.HasPrefix(got, "HTTP/1.1 "+wantStatus) {
				t.Errorf("got %q, want %s", got, wantStatus)
			}
		})
	}
	f("with a response", "413", func(w *testConn) {
		w.readHead()
		w.send("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop")
	})
	f("without one", "502", func(w *testConn) { w.readHead() })
}

func TestAppThatClosesDuringAnUploadClosesTheParticipantsConnection(t *testing.T) {
	f := func(name string, linger time.Duration) {
		t.Run(name, func(t *testing.T) {
			p := startLingeringProxy(t, linger, func(w *testConn) {
				w.readHead()
				w.send(okResponse)
			})
			client := dial(t, p)
			client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
			got, _ := client.readAll()
			equal(t, "response", got, okResponse)
			if linger < testTimeout { // the end of the upload does not come
				eventually(t, "nobody is connected", func() bool { return p.Stats().Connections == 0 })
			}
		})
	}
	f("at once", time.Hour)
	f("and cuts a silent participant", time.Millisecond)
}

func TestLingeringEndsThoughTheParticipantNeverStopsSending(t *testing.T) {
	accepted := make(chan net.Conn, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			accepted <- conn
		}
	}()
	participant, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var sending sync.WaitGroup
	defer sending.Wait()
	defer participant.Close()
	sending.Go(func() {
		for err := error(nil); err == nil; _, err = participant.Write([]byte("x")) {
		}
	})
	client, err := newClientConn(receive(t, "connection", accepted).(*net.TCPConn), &Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.TCPConn.Close()
	client.discard(time.Hour, time.Now().Add(50*time.Millisecond)) // or the test hangs
}

func TestUnframedResponseTruncatedDuringAnUploadLooksTruncated(t *testing.T) {
	read := make(chan bool)
	const response = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc"
	client := dial(t, startProxy(t, startApp(t, func(w *testConn) {
		w.readHead()
		w.send(response)
		<-read
		w.SetLinger(0)
	}), nil))
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
	equal(t, "response", client.readN(len(response)), response)
	close(read)
	if _, err := client.readAll(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the response ended with %v, want a reset", err)
	}
}
