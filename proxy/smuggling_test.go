package proxy

import (
	"fmt"
	"strings"
	"testing"
)

func TestAmbiguousRequestIsRefusedBeforeItReachesTheApp(t *testing.T) {
	app := startApp(t, func(w *testConn) {
		if head := w.readHead(); head != "" {
			t.Errorf("the app got %q", head)
		}
	})
	p := startProxy(t, app, nil)
	f := func(name, request string) {
		t.Helper()
		client := dial(t, p)
		client.send(request)
		client.CloseWrite()
		if got, _ := client.readAll(); !strings.HasPrefix(got, "HTTP/1.1 400 ") || strings.Count(got, "HTTP/1.1") != 1 {
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

// TestObfuscatedTransferEncodingIsRefusedOrIgnoredByBothSides makes sure that tricks to
// make one side see Transfer-Encoding and the other Content-Length fail: the app gets
// nothing, or a request that both sides frame by its length.
func TestObfuscatedTransferEncodingIsRefusedOrIgnoredByBothSides(t *testing.T) {
	const body = "0\r\n\r\n"
	sent := make(chan string, 1)
	app := startApp(t, func(w *testConn) {
		for head := w.readHead(); head != ""; head = w.readHead() {
			equal(t, "head", head, withoutHopByHop(<-sent, false))
			equal(t, "body", w.readN(len(body)), body)
			w.send(okResponse)
		}
	})
	p := startProxy(t, app, nil)
	tried, passed := 0, 0
	f := func(line string) {
		t.Helper()
		head := "POST / HTTP/1.1\r\n" + line + "\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
		sent <- head
		tried++
		client := dial(t, p)
		client.send(head + body)
		client.CloseWrite()
		got, _ := client.readAll()
		switch {
		case strings.HasPrefix(got, "HTTP/1.1 200 "):
			passed++
		case strings.HasPrefix(got, "HTTP/1.1 400 "):
			equal(t, fmt.Sprintf("%q is refused, and did not reach the app", line), <-sent, head)
		default:
			t.Errorf("%q gave %q", line, got)
		}
	}
	for c := range 256 {
		if c == '\n' || c == '\r' {
			continue // ends a line: see below
		}
		odd := string([]byte{byte(c)})
		f("Transfer-Encoding:" + odd + "chunked")
		f("Transfer-Encoding: chunked" + odd)
		f("Transfer-Encoding" + odd + ": chunked")
		f(odd + "Transfer-Encoding: chunked")
		f("Transfer" + odd + "Encoding: chunked")
		f("Transfer-Encoding: ch" + odd + "nked")
	}
	for _, line := range []string{
		"Transfer-Encoding: chunked", "TRANSFER-ENCODING: CHUNKED", "TrAnSFer-EnCODinG: cHuNkeD", "Transfer-Encoding:chunked",
		"Transfer-Encoding: chunked, cow", "Transfer-Encoding: cow, chunked", "Transfer-Encoding: chunked,", "Transfer-Encoding: ,chunked",
		"Transfer-Encoding: cow chunked bar", "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: 'chunked'",
		"Transfer-Encoding: chunk", "Transfer-Encoding:", "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding:\n chunked",
		"Transfer-Encoding\r\n: chunked", "Transfer-Encoding: chunked\r", "Transfer\r-Encoding: chunked", "\rTransfer-Encoding: chunked",
		"Transfer-Encoding\r: chunked", "Transfer-Encoding:\rchunked", "X: X\rTransfer-Encoding: chunked", "X: X\nTransfer-Encoding: chunked",
		"X: X\r\n\rTransfer-Encoding: chunked", "Transfer Encoding:chunked", "Transfer-Encoding: identity", "Transfer-Encoding: identity, chunked",
		"Content-Length: 5", "Content-Length: 6", "content-length: 05", "Content-Length: 5, 5", "Content-Length : 6", "Content-Length\t: 6", " Content-Length: 6",
		"Content-Length:\v6", "X: a\nContent-Length: 6", "Content-Length: 5\r\n 6", "Connection: Content-Length", "Connection: Transfer-Encoding",
		"Content-Encoding: chunked", "Transfer_Encoding: chunked", "Content_Length: 6",
	} {
		f(line)
	}
	if passed == 0 { // some are other fields, and harmless
		t.Error("nothing was passed on")
	}
	t.Logf("%d of %d were passed on", passed, tried)
}
