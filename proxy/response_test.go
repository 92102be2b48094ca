package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/valyala/fasthttp"
)

// oddResponse has what proxies tend to normalize.
const oddResponse = "Date: yesterday\r\n" +
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

func TestResponseReachesTheParticipantByteForByte(t *testing.T) {
	responses := make(chan string, 1)
	app := startApp(t, func(w *testConn) {
		for w.readHead() != "" {
			w.send(<-responses)
		}
	})
	client := dial(t, startProxy(t, app, nil))
	f := func(method, response, want string) {
		t.Helper()
		client.send(method + " / HTTP/1.1\r\nHost: h\r\n\r\n")
		responses <- response
		equal(t, "response", client.readN(len(want)), want)
		client.expectNothing()
	}
	same := func(method, response string) { t.Helper(); f(method, response, response) }
	same("GET", "HTTP/1.1 200 All is  well\r\n"+oddResponse+"Content-Length: 3\r\n\r\nabc")
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

func TestInterimResponsesPass(t *testing.T) {
	const hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"
	const processing = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
	proceed := make(chan bool)
	app := startApp(t, func(w *testConn) {
		for w.readHead() != "" {
			w.send(processing + hints)
			<-proceed
			w.send(okResponse)
		}
	})
	p := startProxy(t, app, nil)
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "interim", client.readN(len(processing+hints)), processing+hints)
	proceed <- true
	equal(t, "response", client.readN(len(okResponse)), okResponse)

	old := dial(t, p)
	old.send("GET / HTTP/1.0\r\n\r\n")
	proceed <- true
	got, _ := old.readAll()
	equal(t, "HTTP/1.0", got, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
}

func TestHTTP10ClientGetsNoChunks(t *testing.T) {
	responses := make(chan string, 1)
	app := startApp(t, func(w *testConn) {
		if head := w.readHead(); !strings.HasSuffix(strings.SplitN(head, "\r\n", 2)[0], "HTTP/1.1") {
			t.Errorf("the app got %q, want HTTP/1.1", head)
		}
		w.send(<-responses)
	})
	p := startProxy(t, app, nil)
	f := func(response, want string) {
		t.Helper()
		client := dial(t, p)
		client.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n")
		responses <- response
		got, err := client.readAll()
		equal(t, "response", got, want)
		equal(t, "error", err, nil)
	}
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde")
	f("HTTP/1.1 200 OK\r\n\r\nuntil the end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end")
	f("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc")
}

func TestHTTP10ClientMayKeepItsConnection(t *testing.T) {
	p := startProxy(t, startApp(t, respondWith(okResponse)), nil)
	f := func(fields, connection string) {
		t.Helper()
		client := dial(t, p)
		want := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: " + connection + "\r\n\r\nok"
		client.send("GET / HTTP/1.0\r\n" + fields + "\r\n")
		equal(t, "response to "+fields, client.readN(len(want)), want)
		if connection == "close" {
			client.expectEnd()
			return
		}
		client.send("GET / HTTP/1.0\r\n\r\n")
		equal(t, "response after "+fields, statusOf(client.readHead()), 200)
	}
	f("Connection: keep-alive\r\n", "keep-alive")
	f("Connection: X-Hop\r\nconnection:x,Keep-Alive\r\n", "keep-alive")
	f("", "close")
	f("Connection: X-Hop\r\nX: keep-alive\r\n", "close")
	f("Connection: keep-alive\r\nConnection: close\r\n", "close")
}

func TestTruncatedResponseLooksTruncated(t *testing.T) {
	f := func(name, response, want string, reset bool) {
		t.Run(name, func(t *testing.T) {
			read := make(chan bool)
			app := startApp(t, func(w *testConn) {
				w.readHead()
				w.send(response)
				<-read
				if reset {
					w.SetLinger(0)
				}
			})
			client := dial(t, startProxy(t, app, nil))
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			got := client.readN(len(want))
			close(read)
			more, err := client.readAll()
			equal(t, "response", got+more, want)
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

func TestMalformedResponseIsNotPassedOn(t *testing.T) {
	f := func(response string) {
		t.Helper()
		app := startApp(t, func(w *testConn) {
			w.readHead()
			w.send(response)
		})
		p := startProxy(t, app, nil)
		client := dial(t, p)
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		got, _ := client.readAll()
		if !strings.HasPrefix(got, "HTTP/1.1 502 ") || strings.Contains(got, "secret") {
			t.Errorf("%q gave %q, want 502", response, got)
		}
		equal(t, fmt.Sprintf("broken answers after %q", response), p.Stats().AppBroken, 1)
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
	f("HTTP/1.1 200 OK\r\nsecret\r\nContent-Length: 0\r\n\r\n")
	f("HTTP/1.1 200 OK\r\nX@A: secret\r\nContent-Length: 0\r\n\r\n")
	f("HTTP/1.1 200 OK\nX: a\rb: secret\nContent-Length: 0\n\n")
	f("HTTP/1.1 200 OK\r\nX: " + pattern(headLimit) + "\r\n\r\n")
}

func TestEndlessInterimResponsesEndIn502(t *testing.T) {
	interim := strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", maxInterim)
	client := dial(t, startProxy(t, startApp(t, respondWith(interim+okResponse)), nil))
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	got, _ := client.readAll()
	if rest, found := strings.CutPrefix(got, interim); !found || !strings.HasPrefix(rest, "HTTP/1.1 502 ") {
		t.Errorf("got %q, want 502 after %d interim responses", got, maxInterim)
	}
}

// What can't become a response is refused though the app keeps the connection open.
func TestWhatIsNoHTTPIsRefusedAtOnce(t *testing.T) {
	f := func(response string) {
		t.Helper()
		app := startApp(t, func(w *testConn) {
			w.readHead()
			w.send(response)
			w.readHead() // until the proxy closes
		})
		client := dial(t, startProxy(t, app, nil))
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		if got, _ := client.readAll(); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
			t.Errorf("%q gave %q, want 502", response, got)
		}
	}
	f("h")
	f("hello")
	f("HTTP/2.0 200 OK")
	f("http/1.1 200 OK")
	f("\n")
	f("\x15\x03\x01\x00\x02\x02P") // an alert of TLS
}

// An app may write what a proxy has to mend (RFC 9112 sections 2.2, 5.1, 5.2, 6.1
// and 6.3).
func TestLenientResponseIsMended(t *testing.T) {
	f := func(response, want string) {
		t.Helper()
		app := startApp(t, func(w *testConn) {
			w.readHead()
			w.send(response)
			w.readHead() // until the proxy closes
		})
		client := dial(t, startProxy(t, app, nil))
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, fmt.Sprintf("response for %q", response), client.readN(len(want)), want)
		client.expectNothing()
	}
	const mended = "HTTP/1.1 200 OK\r\nX: a b\r\nContent-Length: 2\r\n\r\nok"
	f("HTTP/1.1 200 OK\nX: a b\nContent-Length: 2\n\nok", mended)
	f("HTTP/1.1 200 OK\r\nX: a b\nContent-Length: 2\r\n\nok", mended)
	f("HTTP/1.1 200 OK\nX: a b\nContent-Length: 2\n\r\nok", mended)
	f("HTTP/1.1 200 OK\r\nX \t: a b\r\nContent-Length : 2\r\n\r\nok", mended)
	f("HTTP/1.1 200 OK\r\nX: a\r\n \t b \r\nContent-Length: 2\r\n\r\nok", mended)
	f("HTTP/1.1 200 OK\r\nX: a b\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", mended)
	const chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"
	f("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3;x\nabc\n0\nX: y\n\n", chunks)
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX : y\r\n\r\n", chunks)
	f("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n0\n\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	f("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n", chunks)
}

func TestMalformedTrailerTruncatesTheResponse(t *testing.T) {
	for _, trailer := range []string{"X: a\rb: secret\r\n", "X: \x00secret\r\n", "secret\r\n", " secret\r\n", ": secret\r\n"} {
		app := startApp(t, func(w *testConn) {
			w.readHead()
			w.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n" + trailer + "\r\n")
			w.readHead() // until the proxy closes
		})
		client := dial(t, startProxy(t, app, nil))
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		got, _ := client.readAll()
		equal(t, fmt.Sprintf("response with %q", trailer), got, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
	}
}

// FuzzResponseHead makes sure that no response causes a panic, and that fasthttp and,
// in the participant's place, net/http agree on the framing of those that pass.
func FuzzResponseHead(f *testing.F) {
	for _, seed := range []string{
		okResponse, "HTTP/1.1 200 All is well\r\n" + oddResponse + "Content-Length: 3\r\n\r\nabc",
		"HTTP/1.0 200 OK\r\nConnection: keep-alive, x\r\nX: y\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 204\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1  200 OK\nA: b\n\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wire string) {
		r := bufio.NewReaderSize(strings.NewReader(wire), headLimit)
		raw, err := peekBlock(r, headEnd)
		if err != nil {
			return
		}
		var head responseHead
		if head.parse(raw) != nil {
			return
		}
		var referee fasthttp.ResponseHeader
		if referee.Read(bufio.NewReaderSize(bytes.NewReader(raw), headLimit)) == nil && referee.ContentLength() != head.length {
			t.Errorf("%q: the length is %d for fasthttp, and %d for the proxy", wire, referee.ContentLength(), head.length)
		}
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		head.write(w, raw, true)
		w.WriteString("\r\n")
		w.Flush()
		got, err := http.ReadResponse(bufio.NewReader(&out), nil)
		if err != nil {
			return
		}
		if got.StatusCode != head.status {
			t.Errorf("%q: the status became %d", wire, got.StatusCode)
		}
		if head.framing(false) == sized && got.ContentLength != int64(head.length) {
			t.Errorf("%q: the length is %d for the participant, and %d for the proxy", wire, got.ContentLength, head.length)
		}
	})
}
