package proxy

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// oddHead has what proxies tend to normalize.
const oddHead = "Host: Survey.Example.ORG:8080\r\n" +
	"x-lower: 1\r\n" +
	"X-Odd-Space:  \t two  words \r\n" +
	"ACCEPT: a\r\n" +
	"accept: b\r\n" +
	"Cookie: a=1;b=2\r\n" +
	"WWW-thing: \"q\"\r\n" +
	"Cookie: c=3; d=\"4\"\r\n" +
	"X-Empty:\r\n" +
	"etag: W/\"x\"\r\n"

func TestRequestHeadReachesTheAppByteForByte(t *testing.T) {
	heads := make(chan string, 1)
	app := startApp(t, func(w *testConn) {
		for {
			head := w.readHead()
			if head == "" {
				return
			}
			heads <- head
			w.send(okResponse)
		}
	})
	p := startProxy(t, app, nil)
	client := dial(t, p)
	f := func(line, dropped, kept string) {
		t.Helper()
		client.send(line + "\r\n" + dropped + kept + "\r\n")
		equal(t, line, receive(t, "request", heads), line+"\r\n"+kept+"\r\n")
		client.readN(len(okResponse))
	}
	for _, target := range []string{
		"/", "/a//b/../c%2Fd/./e", "/a;p=1?x=1&x=2&y", "/?", "/%zz", "/ä", "/a?b#"[:4], "//double", "/a\\b", "/a?q=%20+%2B",
	} {
		f("GET "+target+" HTTP/1.1", "", oddHead)
	}
	f("DELETE /nothing HTTP/1.1", "", "Host: h\r\n")
	f("OPTIONS * HTTP/1.1", "", "Host: h\r\n")
	f("OPTIONS /x HTTP/1.1", "", "Host: h\r\n")
	f("POST /x HTTP/1.1", "", "Host: h\r\n")
	f("PROPFIND /x HTTP/1.1", "", "Host: h\r\n")
	f("GET http://H:80/x?y HTTP/1.1", "", "Host: h:80\r\n")
	f("GET / HTTP/1.1", "Connection: keep-alive, X-Hop\r\nx-hop: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: gzip\r\nUpgrade: h2c\r\n",
		"Host: h\r\nX-Not-Hop: 1\r\n")
	f("GET / HTTP/1.1", "HTTP2-Settings: AAMAAABkAAQAAP__\r\n", "Host: h\r\n")
	f("GET / HTTP/1.1", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", "Host: h\r\n")
	f("GET / HTTP/1.1", "Connection: host, Content-Length\r\n", "Host: h\r\nTE: trailers\r\nContent-Length: 0\r\n")
}

// A field whose value is a list keeps the members that concern the app.
func TestListsKeepWhatConcernsTheApp(t *testing.T) {
	f := func(sent, want string) {
		t.Helper()
		head := make(chan string, 1)
		app := startApp(t, func(w *testConn) {
			head <- w.readHead()
			w.send(okResponse)
		})
		client := dial(t, startProxy(t, app, nil))
		client.send("GET / HTTP/1.1\r\nHost: h\r\n" + sent + "\r\n")
		equal(t, "head for "+sent, receive(t, "request", head), "GET / HTTP/1.1\r\nHost: h\r\n"+want+"\r\n")
		client.readHead()
	}
	f("TE: trailers, gzip;q=0.5\r\n", "TE: trailers\r\n")
	f("te:gzip , Trailers,\r\n", "te: Trailers\r\n")
	f("TE: gzip\r\n", "")
	f("Connection: keep-alive, Upgrade, X-Custom\r\nX-Custom: 1\r\nUpgrade: websocket\r\n", "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n")
	f("Connection: Upgrade\r\nUpgrade: h2c, WebSocket/13, x\r\n", "Connection: Upgrade\r\nUpgrade: WebSocket/13\r\n")
	f("Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n", "Connection: Upgrade\r\nUpgrade: websocket\r\n")
	f("Connection: Upgrade\r\nUpgrade: x\r\n", "")
}

func TestRequestWithoutHostGetsOne(t *testing.T) {
	f := func(target, want string) {
		t.Helper()
		head := make(chan string, 1)
		app := startApp(t, func(w *testConn) {
			head <- w.readHead()
			w.send(okResponse)
		})
		if want == "" {
			want = app.Addr().String()
		}
		client := dial(t, startProxy(t, app, nil))
		client.send("GET " + target + " HTTP/1.0\r\n\r\n")
		equal(t, "head", receive(t, "request", head), "GET "+target+" HTTP/1.1\r\nHost: "+want+"\r\n\r\n")
		client.readHead()
	}
	f("/", "")
	f("http://survey.example.org:81/p?q", "survey.example.org:81")
}

// TestRequestIsReadHoweverItArrives makes sure that no prefix of a request gets a
// response, or is taken for a whole request.
func TestRequestIsReadHoweverItArrives(t *testing.T) {
	const request = "POST /hello HTTP/1.1\r\nhoSt:\texample.com\r\nempty:\r\nContent-Length: 5\r\n\r\nhello"
	app := startApp(t, func(w *testConn) {
		for got := w.readN(len(request)); got != ""; got = w.readN(len(request)) {
			equal(t, "request", got, request)
			w.send(okResponse)
		}
	})
	client := dial(t, startProxy(t, app, nil))
	for cut := range len(request) {
		client.send(request[:cut])
		client.send(request[cut:])
		equal(t, "response", client.readN(len(okResponse)), okResponse)
	}
	client.expectNothing()
	for i := range request { // byte by byte
		client.send(request[i : i+1])
	}
	equal(t, "response", client.readN(len(okResponse)), okResponse)
}

func TestHeadsAsLongAsTheAppAcceptsPass(t *testing.T) {
	head := "GET / HTTP/1.1\r\nHost: h\r\nCookie: " + pattern(12<<10) + "\r\n"
	for i := range 3 {
		head += "X-" + string(rune('a'+i)) + ": " + pattern(6<<10) + "\r\n"
	}
	head += "\r\n"
	response := "HTTP/1.1 302 Found\r\nLocation: /" + pattern(16<<10) + "\r\nContent-Length: 0\r\n\r\n"
	app := startApp(t, func(w *testConn) {
		equal(t, "request", w.readHead(), head)
		w.send(response)
	})
	client := dial(t, startProxy(t, app, nil))
	client.send(head)
	equal(t, "response", client.readHead(), response)
}

func TestOverlongHeadGets431(t *testing.T) {
	app := startApp(t, respondWith(okResponse))
	client := dial(t, startProxy(t, app, nil))
	client.send("GET / HTTP/1.1\r\nHost: h\r\nX: " + pattern(headLimit) + "\r\n\r\n")
	if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 431 ") {
		t.Errorf("got %q, want 431", head)
	}
}

// FuzzRequestHead compares what is passed on with two other parsers: fasthttp, which
// has read the request, and net/http, in the app's place.
func FuzzRequestHead(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n" + oddHead[strings.Index(oddHead, "x-lower"):] + "\r\n",
		"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: x, close\r\nX: y\r\n\r\n",
		"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n",
		"GET http://h/x?y HTTP/1.0\r\nHost: h\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.1\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n folded: 1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wire string) {
		var header fasthttp.RequestHeader
		if header.Read(bufio.NewReaderSize(strings.NewReader(wire), headLimit)) != nil {
			return
		}
		var head requestHead
		if head.parse(&header) != nil {
			return
		}
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		head.write(w, false)
		w.Flush()
		got, err := http.ReadRequest(bufio.NewReader(&out))
		if err != nil {
			return // an app that refuses it can't be misled
		}
		if got.Method != string(header.Method()) {
			t.Errorf("%q: the method became %q", wire, got.Method)
		}
		wantChunked := header.ContentLength() == -1
		if isChunked := len(got.TransferEncoding) > 0; isChunked != wantChunked {
			t.Errorf("%q: chunked is %v for the app, and %v for the proxy", wire, isChunked, wantChunked)
		}
		if !wantChunked && got.ContentLength != int64(max(header.ContentLength(), 0)) {
			t.Errorf("%q: the length is %d for the app, and %d for the proxy", wire, got.ContentLength, header.ContentLength())
		}
	})
}
