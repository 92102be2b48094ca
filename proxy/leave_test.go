package proxy

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
)

func TestLeavingParticipantEndsTheAppsRequest(t *testing.T) {
	f := func(name, request string, script func(w *testConn), read int) {
		t.Run(name, func(t *testing.T) {
			began, ended := make(chan bool), make(chan bool)
			app := startApp(t, func(w *testConn) {
				defer close(ended)
				w.readHead()
				script(w)
				close(began)
				for { // up to the end of the request
					if _, err := w.in.ReadByte(); err != nil {
						return
					}
				}
			})
			p := startProxy(t, app, nil)
			client := dial(t, p)
			client.send(request)
			client.readN(read)
			receive(t, "request", began)
			client.Close()
			receive(t, "end of the request", ended)
		})
	}
	const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	const events = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
	f("while waiting", get, func(*testConn) {}, 0)
	f("after an upload, while waiting", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", func(w *testConn) { w.readN(11) }, 0)
	f("while nothing happens", get, func(w *testConn) { w.send(events) }, len(events))
	f("in the middle of a download", get, func(w *testConn) {
		w.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
		go io.Copy(w.TCPConn, endlessReader{}) // until the connection ends
	}, 100)
	f("while waiting, with a request that nobody has read", get+get, func(*testConn) {}, 0)
	f("while nothing happens, with half a request that nobody has read", get+"GET / HT", func(w *testConn) { w.send(events) }, len(events))
	f("in the middle of an upload", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", func(w *testConn) { w.readN(2) }, 0)
}

// endlessReader always has more to read.
type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) { return len(p), nil }

func TestHalfClosedParticipantStillGetsTheResponse(t *testing.T) {
	const size = 300 << 10
	response := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
	f := func(name string, watcher Watcher) {
		t.Run(name, func(t *testing.T) {
			app := startApp(t, func(w *testConn) {
				w.readHead()
				if watcher == nil {
					w.expectEnd() // of the half-close that was passed on
				} else {
					<-time.After(4 * watchDelay) // until the half-close was noticed; it is not passed on
				}
				w.send(response + pattern(size))
			})
			p := startProxy(t, app, func(c *Config) { c.Watcher, c.InspectLimit = watcher, 10 })
			client := dial(t, p)
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			client.CloseWrite()
			got, _ := client.readAll()
			equal(t, "response", strings.Replace(got, "Connection: close\r\n", "", 1), response+pattern(size))
		})
	}
	f("unwatched", nil)
	f("watched", watchAll(make(chan rules.Exchange, 1)))
}

// Whoever sends no more may still read, for as long as the app takes. Nobody reads
// once the connection is reset.
func TestHalfCloseIsNoDepartureButAResetIs(t *testing.T) {
	noticed, answered, ended := make(chan bool), make(chan bool), make(chan bool)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		<-noticed
		w.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
		<-answered
		w.expectEnd()
		close(ended)
	})
	p := newProxy(t, app, func(c *Config) { c.Watcher = watchAll(make(chan rules.Exchange, 1)) })
	p.abandoned = time.Nanosecond
	serve(t, p)
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	client.CloseWrite()
	<-time.After(4 * watchDelay) // until the half-close was noticed; nothing shows it
	close(noticed)
	client.readHead()
	equal(t, "body", client.readN(1), "o")
	client.SetLinger(0)
	client.Close()
	close(answered)
	receive(t, "end of the app's connection", ended)
}

func TestKeptConnectionSurvivesASlowResponse(t *testing.T) {
	p := startProxy(t, startApp(t, func(w *testConn) {
		for w.readHead() != "" {
			<-time.After(4 * watchDelay) // until the participant is watched
			w.send(okResponse)
		}
	}), nil)
	client := dial(t, p)
	for range 3 {
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "response", client.readN(len(okResponse)), okResponse)
	}
}

func TestWatchedRequestCompletesThoughItsParticipantLeft(t *testing.T) {
	f := func(name, request, piece string) {
		t.Run(name, func(t *testing.T) {
			exchanges := make(chan rules.Exchange, 1)
			began, left := make(chan bool), make(chan bool)
			var p *Proxy
			app := startApp(t, func(w *testConn) {
				w.readHead()
				w.send(piece)
				close(began)
				<-left
				for p.Stats().Connections > 0 && !hasClientLeft(p) { // until the proxy can notice it
					time.Sleep(time.Millisecond)
				}
				w.send(("HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + pattern(300))[len(piece):])
			})
			p = startProxy(t, app, func(c *Config) { c.Watcher = watchAll(exchanges) })
			client := dial(t, p)
			client.send(request)
			receive(t, "request", began)
			client.SetLinger(0)
			client.Close()
			close(left)
			x := receive(t, "exchange", exchanges)
			equal(t, "status", x.Status, 200)
			equal(t, "body", string(x.ResponseBody), pattern(300))
		})
	}
	f("before the head", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "")
	f("within the body", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n0000")
	f("after an upload", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "")
}

// hasClientLeft reports whether the proxy can see that its only participant has left.
func hasClientLeft(p *Proxy) bool {
	p.clients.mu.Lock()
	defer p.clients.mu.Unlock()
	for client := range p.clients.open {
		raw, err := client.SyscallConn()
		if err != nil {
			return true
		}
		left := false
		raw.Control(func(fd uintptr) { left = peek(fd) == peerClosed })
		return left
	}
	return true
}

func TestBrokenWatchedUploadHasNoStatus(t *testing.T) {
	exchanges := make(chan rules.Exchange, 1)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.readAll()
	})
	p := startProxy(t, app, func(c *Config) { c.Watcher = watchAll(exchanges) })
	client := dial(t, p)
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
	client.Close()
	equal(t, "status", receive(t, "exchange", exchanges).Status, 0)
}
