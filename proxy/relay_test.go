package proxy

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

func TestParticipantConnectionOutlivesTheAppConnection(t *testing.T) {
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
	})
	client := dial(t, startProxy(t, app, nil))
	for range 3 {
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "response", client.readN(len(okResponse)), okResponse)
	}
	equal(t, "connections to the app", app.conns.Load(), 3)
}

func TestPipelinedRequestsGetResponsesInOrder(t *testing.T) {
	app := startApp(t, func(w *testConn) {
		for head := w.readHead(); head != ""; head = w.readHead() {
			path := strings.Fields(head)[1]
			w.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(path), path))
		}
	})
	client := dial(t, startProxy(t, app, nil))
	var requests, want strings.Builder
	for i := range 20 {
		fmt.Fprintf(&requests, "POST /%02d HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", i)
		fmt.Fprintf(&want, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n/%02d", i)
	}
	client.send(requests.String() + "GET / HTTP/1.1\r\nno host\r\n\r\n")
	equal(t, "responses", client.readN(want.Len()), want.String())
	if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 400 ") {
		t.Errorf("got %q after the last, want 400", head)
	}
}

func TestStreamIsRelayedAsItArrives(t *testing.T) {
	proceed := make(chan bool)
	f := func(name, head string, pieces ...string) {
		t.Run(name, func(t *testing.T) {
			app := startApp(t, func(w *testConn) {
				w.readHead()
				w.send(head)
				for _, piece := range pieces {
					<-proceed
					w.send(piece)
				}
			})
			client := dial(t, startProxy(t, app, nil))
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			equal(t, "head", client.readHead(), head)
			for _, piece := range pieces { // the app waits until the participant has the previous one
				proceed <- true
				equal(t, "piece", client.readN(len(piece)), piece)
			}
		})
	}
	f("events", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
		"9\r\ndata: 1\n\n\r\n", "9\r\ndata: 2\n\n\r\n", "0\r\n\r\n")
	f("trickle", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "a", "b", "cd")
	f("until close", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "a", "b")
}

func TestLongBodiesPassBothWays(t *testing.T) {
	pieces := 100
	if testing.Short() {
		pieces = 10
	}
	piece := pattern(1 << 20)
	app := startApp(t, func(w *testConn) {
		head := w.readHead()
		w.send("HTTP/1.1 200 OK\r\nContent-Length: " + fmt.Sprint(pieces<<20) + "\r\n\r\n")
		if strings.HasPrefix(head, "GET") {
			for range pieces {
				w.send(piece)
			}
			return
		}
		io.CopyN(w.TCPConn, w.in, int64(pieces)<<20)
	})
	f := func(name, request string, upload bool) {
		t.Run(name, func(t *testing.T) {
			client := dial(t, startProxy(t, app, nil))
			client.send(request)
			if upload {
				go func() {
					for range pieces {
						client.send(piece)
					}
				}()
			}
			client.readHead()
			for i := range pieces {
				if client.readN(len(piece)) != piece {
					t.Fatalf("MiB %d differs", i)
				}
			}
			client.expectNothing()
		})
	}
	f("down", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", false)
	f("up and down at once", fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", pieces<<20), true)
}

func TestBodyMayTakeLongerThanAnyTimeout(t *testing.T) {
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
		body := w.readN(8)
		for _, c := range body {
			w.send(string(c))
		}
	})
	short := 400 * time.Millisecond
	p := startProxy(t, app, func(c *Config) { c.ResponseTimeout, c.HeaderTimeout, c.IdleTimeout = short, short, short })
	client := dial(t, p)
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n")
	for i := range 8 { // longer than each timeout in all
		<-time.After(short / 6)
		client.send(fmt.Sprint(i))
	}
	got, err := client.readAll()
	equal(t, "response", got, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n01234567")
	if err != nil && !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
