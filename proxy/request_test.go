package proxy

import (
	"strings"
	"testing"
)

// oddHead has what proxies like to tidy up.
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

func TestARequestHeadReachesTheAppByteForByte(t *testing.T) {
	heads := make(chan string, 1)
	app := startApp(t, func(w *wire) {
		for {
			head := w.head()
			if head == "" {
				return
			}
			heads <- head
			w.send(ok)
		}
	})
	p := startProxy(t, app, nil)
	client := dial(t, p)
	f := func(line, dropped, kept string) {
		t.Helper()
		client.send(line + "\r\n" + dropped + kept + "\r\n")
		equal(t, line, receive(t, "request", heads), line+"\r\n"+kept+"\r\n")
		client.take(len(ok))
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
	f("GET / HTTP/1.1", "Connection: host, Content-Length\r\n", "Host: h\r\nTE: trailers\r\nContent-Length: 0\r\n")
}

func TestHeadsAsLongAsTheAppTakesPass(t *testing.T) {
	head := "GET / HTTP/1.1\r\nHost: h\r\nCookie: " + pattern(12<<10) + "\r\n"
	for i := range 3 {
		head += "X-" + string(rune('a'+i)) + ": " + pattern(6<<10) + "\r\n"
	}
	head += "\r\n"
	answer := "HTTP/1.1 302 Found\r\nLocation: /" + pattern(16<<10) + "\r\nContent-Length: 0\r\n\r\n"
	app := startApp(t, func(w *wire) {
		equal(t, "request", w.head(), head)
		w.send(answer)
	})
	client := dial(t, startProxy(t, app, nil))
	client.send(head)
	equal(t, "answer", client.head(), answer)
}

func TestAHeadTooLongForEverybodyIsRefused(t *testing.T) {
	app := startApp(t, serving(ok))
	client := dial(t, startProxy(t, app, nil))
	client.send("GET / HTTP/1.1\r\nHost: h\r\nX: " + pattern(headLimit) + "\r\n\r\n")
	if head := client.head(); !strings.HasPrefix(head, "HTTP/1.1 431 ") {
		t.Errorf("got %q, want 431", head)
	}
}

func TestAnAmbiguousRequestIsRefusedAndNothingOfItReachesTheApp(t *testing.T) {
	app := startApp(t, func(w *wire) {
		if head := w.head(); head != "" {
			t.Errorf("the app got %q", head)
		}
	})
	p := startProxy(t, app, nil)
	f := func(name, request string) {
		t.Helper()
		client := dial(t, p)
		client.send(request)
		client.CloseWrite()
		if got, _ := client.rest(); !strings.HasPrefix(got, "HTTP/1.1 400 ") || strings.Count(got, "HTTP/1.1") != 1 {
			t.Errorf("%s: got %q, want one 400", name, got)
		}
	}
	post := func(fields string) string { return "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n0\r\n\r\n" }
	f("length and coding", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"))
	f("coding and length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"))
	f("two lengths", post("Content-Length: 5\r\nContent-Length: 5\r\n"))
	f("length list", post("Content-Length: 5, 5\r\n"))
	f("signed length", post("Content-Length: +5\r\n"))
	f("length with a leading zero", post("Content-Length: 05\r\n"))
	f("hexadecimal length", post("Content-Length: 0x5\r\n"))
	f("empty length", post("Content-Length: \r\n"))
	f("two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"))
	f("unknown coding", post("Transfer-Encoding: xchunked\r\n"))
	f("coding list", post("Transfer-Encoding: gzip, chunked\r\n"))
	f("identity", post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n"))
	f("identity alone", post("Transfer-Encoding: identity\r\n"))
	f("space before the colon", post("Transfer-Encoding : chunked\r\n"))
	f("space in a name", post("X Y: 1\r\n"))
	f("vertical tab", post("Transfer-Encoding:\vchunked\r\n"))
	f("NUL in a value", post("X: a\x00b\r\n"))
	f("CR in a value", post("X: a\rb\r\n"))
	f("folded line", post("X: a\r\n b\r\n"))
	f("folded coding", post("Transfer-Encoding:\r\n chunked\r\n"))
	f("bare LF", post("X: a\nY: b\r\n"))
	f("bare LF at the end of a coding", post("Transfer-Encoding: chunked\nX: a\r\n"))
	f("no name", post(": 1\r\n"))
	f("no colon", post("Xyz\r\n"))
	f("no host", "GET / HTTP/1.1\r\n\r\n")
	f("two hosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n")
	f("another host in the target", "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n")
	f("coding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	f("HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n")
	f("HTTP/2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n")
	f("HTTP/0.9", "GET /\r\nHost: h\r\n\r\n")
	f("CONNECT", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n")
	f("fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n")
	f("space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n")
	f("control in the target", "GET /a\x01b HTTP/1.1\r\nHost: h\r\n\r\n")
	f("method of odd bytes", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n")
	f("too many connection options", "GET / HTTP/1.1\r\nHost: h\r\nConnection: "+strings.Repeat("x,", 20)+"\r\n\r\n")
	f("negative length", post("Content-Length: -1234\r\n"))
	f("negative length that overflows", post("Content-Length: -123456789123456789123456789\r\n"))
	f("length that overflows", post("Content-Length: 18446744073709551621\r\n"))
	f("length of letters", post("Content-Length: abc\r\n"))
	f("length with a semicolon", post("Content-Length: 5;\r\n"))
	f("bell in a value", post("X: a\x07b\r\n"))
	f("DEL in a value", post("X: a\x7fb\r\n"))
	f("NUL in a name", post("X\x00Y: a\r\n"))
	f("brackets in a name", post("X-Invalid[]: a\r\n"))
	f("length without a host", "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
	f("space before the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n")
	f("space in the host", "GET / HTTP/1.1\r\nHost: h h\r\n\r\n")
	f("slash in the host", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n")
	f("user in the target", "GET http://h@other/ HTTP/1.1\r\nHost: h\r\n\r\n")
	f("no version", "GET / \r\n\r\n")
	f("HTTP/9.9", "GET / HTTP/9.9\r\nHost: h\r\n\r\n")
	f("http/1.1", "GET / http/1.1\r\nHost: h\r\n\r\n")
	f("words before the method", "Extra lineGET / HTTP/1.1\r\nHost: h\r\n\r\n")
	f("tab for a space", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n")
	f("CR where the head ends", "GET / HTTP/1.1\r\nHost: h\r\n\rX: a\r\n\r\n")
	f("LF only", "GET / HTTP/1.1\nHost: h\n\n")
	equal(t, "connections to the app", app.conns.Load(), 0)
}
