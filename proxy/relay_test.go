package proxy

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"
)

// oddAnswer is the head of an answer with what proxies like to tidy up.
const oddAnswer = "Date: yesterday\r\n" +
	"x-lower:  1 \r\n" +
	"Content-Type: text/a\r\n" +
	"Set-Cookie: a=1; Path=/\r\n" +
	"Content-Encoding: gzip\r\n" +
	"WWW-Authenticate: Basic\r\n" +
	"Set-Cookie: b=2\r\n" +
	"Content-Encoding: br\r\n" +
	"ETag: \"x\"\r\n" +
	"Server: Kestrel\r\n" +
	"content-type: text/b\r\n" +
	"Set-Cookie: a=3\r\n"

func TestAnAnswerReachesTheParticipantByteForByte(t *testing.T) {
	answers := make(chan string, 1)
	app := startApp(t, func(w *wire) {
		for w.head() != "" {
			w.send(<-answers)
		}
	})
	client := dial(t, startProxy(t, app, nil))
	f := func(method, answer, want string) {
		t.Helper()
		client.send(method + " / HTTP/1.1\r\nHost: h\r\n\r\n")
		answers <- answer
		equal(t, "answer", client.take(len(want)), want)
		client.isEmpty()
	}
	same := func(method, answer string) { t.Helper(); f(method, answer, answer) }
	same("GET", "HTTP/1.1 200 All is  well\r\n"+oddAnswer+"Content-Length: 3\r\n\r\nabc")
	same("GET", "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n")
	same("GET", "HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n")
	same("GET", "HTTP/1.1 500 X\r\ntransfer-encoding: Chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\nx-u:2\r\n\r\n")
	same("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	same("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
	same("HEAD", "HTTP/1.1 200 OK\r\nX: y\r\n\r\n")
	same("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
	same("POST", "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n")
	same("GET", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n")
	same("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\nETag: W/\"1\"\r\n\r\n")
	same("GET", "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nab")
	same("GET", "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"+pattern(300000))
	f("GET", "HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nx-hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	f("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n3;ext=1\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
	equal(t, "connections to the app", app.conns.Load(), 1)
}

func TestTheParticipantsConnectionOutlivesTheApps(t *testing.T) {
	app := startApp(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
	})
	client := dial(t, startProxy(t, app, nil))
	for range 3 {
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "answer", client.take(len(ok)), ok)
	}
	equal(t, "connections to the app", app.conns.Load(), 3)
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	app := startApp(t, func(w *wire) {
		for head := w.head(); head != ""; head = w.head() {
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
	equal(t, "answers", client.take(want.Len()), want.String())
	if head := client.head(); !strings.HasPrefix(head, "HTTP/1.1 400 ") {
		t.Errorf("got %q after the last, want 400", head)
	}
}

func TestAStreamIsPassedOnAsItComes(t *testing.T) {
	proceed := make(chan bool)
	f := func(name, head string, pieces ...string) {
		t.Run(name, func(t *testing.T) {
			app := startApp(t, func(w *wire) {
				w.head()
				w.send(head)
				for _, piece := range pieces {
					<-proceed
					w.send(piece)
				}
			})
			client := dial(t, startProxy(t, app, nil))
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			equal(t, "head", client.head(), head)
			for _, piece := range pieces { // the app sends the next one only when this one has come
				proceed <- true
				equal(t, "piece", client.take(len(piece)), piece)
			}
		})
	}
	f("events", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
		"9\r\ndata: 1\n\n\r\n", "9\r\ndata: 2\n\n\r\n", "0\r\n\r\n")
	f("trickle", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "a", "b", "cd")
	f("until close", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "a", "b")
}

func TestALongBodyPassesBothWays(t *testing.T) {
	pieces := 100
	if testing.Short() {
		pieces = 10
	}
	piece := pattern(1 << 20)
	app := startApp(t, func(w *wire) {
		head := w.head()
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
			client.head()
			for i := range pieces {
				if client.take(len(piece)) != piece {
					t.Fatalf("MiB %d differs", i)
				}
			}
			client.isEmpty()
		})
	}
	f("down", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", false)
	f("up and down at once", fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", pieces<<20), true)
}

func TestInterimAnswersPass(t *testing.T) {
	const hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"
	const processing = "HTTP/1.1 102 Processing\r\n\r\n"
	proceed := make(chan bool)
	app := startApp(t, func(w *wire) {
		for w.head() != "" {
			w.send("HTTP/1.1 100 Continue\r\n\r\n" + processing + hints)
			<-proceed
			w.send(ok)
		}
	})
	p := startProxy(t, app, nil)
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "interim", client.take(len(processing+hints)), processing+hints)
	proceed <- true
	equal(t, "answer", client.take(len(ok)), ok)

	old := dial(t, p)
	old.send("GET / HTTP/1.0\r\n\r\n")
	proceed <- true
	got, _ := old.rest()
	equal(t, "HTTP/1.0", got, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
}

func TestHTTP10GetsNoChunks(t *testing.T) {
	answers := make(chan string, 1)
	app := startApp(t, func(w *wire) {
		if head := w.head(); !strings.HasSuffix(strings.SplitN(head, "\r\n", 2)[0], "HTTP/1.1") {
			t.Errorf("the app got %q, want HTTP/1.1", head)
		}
		w.send(<-answers)
	})
	p := startProxy(t, app, nil)
	f := func(answer, want string) {
		t.Helper()
		client := dial(t, p)
		client.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n")
		answers <- answer
		got, err := client.rest()
		equal(t, "answer", got, want)
		equal(t, "error", err, nil)
	}
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde")
	f("HTTP/1.1 200 OK\r\n\r\nuntil the end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end")
	f("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nraw", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nraw")
}

func TestHTTP10MayKeepItsConnection(t *testing.T) {
	client := dial(t, startProxy(t, startApp(t, serving(ok)), nil))
	for range 2 {
		client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
		const want = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"
		equal(t, "answer", client.take(len(want)), want)
	}
}

func TestACutAnswerLooksCut(t *testing.T) {
	f := func(name, answer, want string, reset bool) {
		t.Run(name, func(t *testing.T) {
			read := make(chan bool)
			app := startApp(t, func(w *wire) {
				w.head()
				w.send(answer)
				<-read
				if reset {
					w.SetLinger(0)
				}
			})
			client := dial(t, startProxy(t, app, nil))
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			got := client.take(len(want))
			close(read)
			more, err := client.rest()
			equal(t, "answer", got+more, want)
			equal(t, "ends with a reset", errors.Is(err, syscall.ECONNRESET), reset)
		})
	}
	const short = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
	f("short of its length", short, short, false)
	const open = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
	f("without last chunk", open, open, false)
	f("within a chunk", strings.Replace(open, "3", "9", 1)[:len(open)-2], open, false)
	f("within its trailer", open+"0\r\nX: y\r\n", open, false)
	f("bad chunk size", open+"x\r\n", open, false)
	const unframed = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc"
	f("reset before its end", unframed, unframed, true)
}

func TestAGarbledAnswerIsNotPassedOn(t *testing.T) {
	f := func(answer string) {
		t.Helper()
		app := startApp(t, func(w *wire) {
			w.head()
			w.send(answer)
		})
		p := startProxy(t, app, nil)
		client := dial(t, p)
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		got, _ := client.rest()
		if !strings.HasPrefix(got, "HTTP/1.1 502 ") || strings.Contains(got, "secret") {
			t.Errorf("%q gave %q, want 502", answer, got)
		}
		equal(t, fmt.Sprintf("broken answers after %q", answer), p.Stats().AppBroken, 1)
	}
	f("")
	f("secret\r\n\r\n")
	f("HTTP/1.1 200 OK\r\nX: secret")
	f("HTTP/1.1 2x0 OK\r\n\r\n")
	f("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
	f("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n")
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n")
	f("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 2\r\n\r\nab")
	f("HTTP/1.1 200 OK\r\nX: a\rb: secret\r\n\r\n")
	f("HTTP/1.1 200 OK\r\nX: a\x00secret\r\n\r\n")
	f("HTTP/1.1 200 OK\r\n folded: secret\r\n\r\n")
	f("HTTP/1.1 200 OK\r\n: secret\r\n\r\n")
	f("HTTP/1.1 101 Switching Protocols\r\n\r\n")
	f("\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	f("HTTP/1.1 200 OK\r\nX: " + pattern(headLimit) + "\r\n\r\n")
	f(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", maxInterim+1) + ok)
}

func TestABodyMayTakeLongerThanAnyTimeout(t *testing.T) {
	app := startApp(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
		body := w.take(8)
		for _, c := range body {
			w.send(string(c))
		}
	})
	short := 400 * time.Millisecond
	p := startProxy(t, app, func(c *Config) { c.ResponseTimeout, c.HeaderTimeout, c.IdleTimeout = short, short, short })
	client := dial(t, p)
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n")
	for i := range 8 { // all in all, well over each timeout
		<-time.After(short / 6)
		client.send(fmt.Sprint(i))
	}
	got, err := client.rest()
	equal(t, "answer", got, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n01234567")
	if err != nil && !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
