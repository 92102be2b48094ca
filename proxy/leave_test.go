package proxy

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
)

func TestAParticipantWhoLeavesEndsTheAppsRequest(t *testing.T) {
	f := func(name, request string, script func(w *wire), read int) {
		t.Run(name, func(t *testing.T) {
			began, ended := make(chan bool), make(chan bool)
			app := startApp(t, func(w *wire) {
				defer close(ended)
				w.head()
				script(w)
				close(began)
				for { // until the end of the request shows on either side
					if _, err := w.in.ReadByte(); err != nil {
						return
					}
				}
			})
			p := startProxy(t, app, nil)
			client := dial(t, p)
			client.send(request)
			client.take(read)
			receive(t, "request", began)
			client.Close()
			receive(t, "end of the request", ended)
		})
	}
	const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	const events = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
	f("while waiting", get, func(*wire) {}, 0)
	f("after an upload, while waiting", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", func(w *wire) { w.take(11) }, 0)
	f("while nothing happens", get, func(w *wire) { w.send(events) }, len(events))
	f("in the middle of a download", get, func(w *wire) {
		w.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
		go io.Copy(w.TCPConn, neverEnding{}) // ends when the connection does
	}, 100)
	f("in the middle of an upload", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", func(w *wire) { w.take(2) }, 0)
}

// neverEnding has always more to read.
type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

func TestAParticipantWhoEndsTheirHalfMayStillGetTheAnswer(t *testing.T) {
	const size = 300 << 10
	answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
	f := func(name string, watcher Watcher) {
		t.Run(name, func(t *testing.T) {
			app := startApp(t, func(w *wire) {
				w.head()
				if watcher == nil {
					w.ended() // the half-close has come through
				} else {
					<-time.After(4 * watchDelay) // it was noticed, and is not passed on
				}
				w.send(answer + pattern(size))
			})
			p := startProxy(t, app, func(c *Config) { c.Watcher, c.InspectLimit = watcher, 10 })
			client := dial(t, p)
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			client.CloseWrite()
			got, _ := client.rest()
			equal(t, "answer", strings.Replace(got, "Connection: close\r\n", "", 1), answer+pattern(size))
		})
	}
	f("unwatched", nil)
	f("watched", watchAll(make(chan rules.Exchange, 1)))
}

func TestAKeptConnectionSurvivesALongWait(t *testing.T) {
	p := startProxy(t, startApp(t, func(w *wire) {
		for w.head() != "" {
			<-time.After(4 * watchDelay) // long enough to be looked after
			w.send(ok)
		}
	}), nil)
	client := dial(t, p)
	for range 3 {
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "answer", client.take(len(ok)), ok)
	}
}

func TestAWatchedRequestIsEndedThoughItsParticipantLeft(t *testing.T) {
	f := func(name, request, piece string) {
		t.Run(name, func(t *testing.T) {
			heard := make(chan rules.Exchange, 1)
			began, left := make(chan bool), make(chan bool)
			var p *Proxy
			app := startApp(t, func(w *wire) {
				w.head()
				w.send(piece)
				close(began)
				<-left
				for p.Stats().Connections > 0 && !someoneLeft(p) { // until it was noticed
					time.Sleep(time.Millisecond)
				}
				w.send(("HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + pattern(300))[len(piece):])
			})
			p = startProxy(t, app, func(c *Config) { c.Watcher = watchAll(heard) })
			client := dial(t, p)
			client.send(request)
			receive(t, "request", began)
			client.SetLinger(0)
			client.Close()
			close(left)
			x := receive(t, "exchange", heard)
			equal(t, "status", x.Status, 200)
			equal(t, "body", string(x.ResponseBody), pattern(300))
		})
	}
	f("before the head", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "")
	f("within the body", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n0000")
	f("after an upload", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "")
}

// someoneLeft tells whether the proxy has noticed that its only participant left.
func someoneLeft(p *Proxy) bool {
	p.clients.mu.Lock()
	defer p.clients.mu.Unlock()
	for client := range p.clients.open {
		raw, err := client.SyscallConn()
		if err != nil {
			return true
		}
		left := false
		raw.Control(func(fd uintptr) { left = peek(fd) == peerLeft })
		return left
	}
	return true
}

func TestAWatchedUploadThatBreaksOffIsNoExchange(t *testing.T) {
	heard := make(chan rules.Exchange, 1)
	app := startApp(t, func(w *wire) {
		w.head()
		w.rest()
	})
	p := startProxy(t, app, func(c *Config) { c.Watcher = watchAll(heard) })
	client := dial(t, p)
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
	client.Close()
	equal(t, "status", receive(t, "exchange", heard).Status, 0)
}

func TestAbortedRequestsLeaveNothingBehind(t *testing.T) {
	aborts := 10000
	if testing.Short() {
		aborts = 300
	}
	app := startApp(t, func(w *wire) {
		for {
			head := w.head()
			if !strings.Contains(head, "GET /stream") && !strings.Contains(head, "GET /ok") {
				w.rest()
				return
			}
			if strings.Contains(head, "GET /ok") {
				w.send(ok)
				continue
			}
			w.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
			w.rest()
			return
		}
	})
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	p := startProxy(t, app, nil)
	requests := []string{
		"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /stream HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab",
		"POST /wait HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab",
		"GET /half",
		"GET /ok HTTP/1.1\r\nHost: h\r\n\r\n",
		"",
	}
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := worker; i < aborts; i += 8 {
				abortOne(t, p, requests[i%len(requests)], i%2 == 0)
			}
		})
	}
	wait.Wait()
	eventually(t, "nobody is connected", func() bool { return p.Stats().Connections == 0 })
	if err := p.Shutdown(t.Context()); err != nil { // what is kept for reuse is no leak
		t.Error(err)
	}
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines+2 }) // fasthttp's clock, and the app's listener
	eventually(t, "no file is left open", func() bool { return openFiles(t) <= files+2 })
	t.Logf("%d aborted requests: %d goroutines before, %d after; %d files open before, %d after",
		aborts, goroutines, runtime.NumGoroutine(), files, openFiles(t))
}

func abortOne(t *testing.T, p *Proxy, request string, reset bool) {
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	if reset {
		conn.(*net.TCPConn).SetLinger(0)
	}
	fmt.Fprint(conn, request)
}

func openFiles(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("cannot count files here")
	}
	return len(files)
}

// eventually waits until something has become true, and fails when it does not.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not become true that %s", what)
		}
	}
}
