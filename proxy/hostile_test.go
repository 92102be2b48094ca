package proxy

import (
	"fmt"
	"strings"
	"testing"
)

// TestAMaskedCodingIsRefusedOrMeansNothing holds that whatever somebody writes
// to make one party see Transfer-Encoding and another Content-Length, the app
// gets either nothing, or a request that both frame by the length.
func TestAMaskedCodingIsRefusedOrMeansNothing(t *testing.T) {
	const body = "0\r\n\r\n"
	sent := make(chan string, 1)
	app := startApp(t, func(w *wire) {
		for head := w.head(); head != ""; head = w.head() {
			equal(t, "head", head, withoutHops(<-sent, false))
			equal(t, "body", w.take(len(body)), body)
			w.send(ok)
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
		got, _ := client.rest()
		switch {
		case strings.HasPrefix(got, "HTTP/1.1 200 "):
			passed++
		case strings.HasPrefix(got, "HTTP/1.1 400 "):
			equal(t, fmt.Sprintf("%q is refused, but the app has not got it", line), <-sent, head)
		default:
			t.Errorf("%q gave %q", line, got)
		}
	}
	for c := range 256 {
		if c == '\n' || c == '\r' {
			continue // an end of line, below
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
	if passed == 0 { // names that are something else
		t.Error("nothing was passed on")
	}
	t.Logf("%d of %d were passed on", passed, tried)
}

// TestARequestIsWaitedForHoweverItIsCut holds that no beginning of a request is
// answered, or taken for a whole one.
func TestARequestIsWaitedForHoweverItIsCut(t *testing.T) {
	const request = "POST /hello HTTP/1.1\r\nhoSt:\texample.com\r\nempty:\r\nContent-Length: 5\r\n\r\nhello"
	app := startApp(t, func(w *wire) {
		for got := w.take(len(request)); got != ""; got = w.take(len(request)) {
			equal(t, "request", got, request)
			w.send(ok)
		}
	})
	client := dial(t, startProxy(t, app, nil))
	for cut := range len(request) {
		client.send(request[:cut])
		client.send(request[cut:])
		equal(t, "answer", client.take(len(ok)), ok)
	}
	client.isEmpty()
	for i := range request { // byte by byte
		client.send(request[i : i+1])
	}
	equal(t, "answer", client.take(len(ok)), ok)
}
