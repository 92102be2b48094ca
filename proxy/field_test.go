package proxy

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

func TestNamesAreRecognisedInAnyCase(t *testing.T) {
	f := func(name string, want fieldName) {
		t.Helper()
		if got := nameOf([]byte(name)); got != want {
			t.Errorf("%q: got %d, want %d", name, got, want)
		}
	}
	f("TE", teField)
	f("hOST", hostField)
	f("Expect", expectField)
	f("UPGRADE", upgradeField)
	f("connection", connectionField)
	f("Keep-Alive", keepAliveField)
	f("proxy-connection", proxyConnectionField)
	f("Content-Encoding", contentEncodingField)
	f("CONTENT-LENGTH", contentLengthField)
	f("Transfer-Encoding", transferEncodingField)
	f("authorization", authorizationField)
	f("Hosts", otherField)
	f("X-Any", otherField)
	f("connection\x00", otherField)
	f("\x08ost", otherField) // differs from host by the bit that tells cases apart
	f("", otherField)
}

// FuzzRequestHead holds what we pass on to two referees: fasthttp, which has
// read the request, and net/http, in the app's place, must see the same.
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
			return // the app refuses it: nothing to be misled about
		}
		if got.Method != string(header.Method()) {
			t.Errorf("%q: the method became %q", wire, got.Method)
		}
		wantChunked := header.ContentLength() == -1
		if isChunked := len(got.TransferEncoding) > 0; isChunked != wantChunked {
			t.Errorf("%q: chunked is %v for the app, and %v for us", wire, isChunked, wantChunked)
		}
		if !wantChunked && got.ContentLength != int64(max(header.ContentLength(), 0)) {
			t.Errorf("%q: the length is %d for the app, and %d for us", wire, got.ContentLength, header.ContentLength())
		}
	})
}

// FuzzAnswerHead makes sure that no answer of an app makes us panic, and that
// what passes is framed alike by fasthttp and, in the participant's place, net/http.
func FuzzAnswerHead(f *testing.F) {
	for _, seed := range []string{
		ok, "HTTP/1.1 200 All is well\r\n" + oddAnswer + "Content-Length: 3\r\n\r\nabc",
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
			t.Errorf("%q: the length is %d for fasthttp, and %d for us", wire, referee.ContentLength(), head.length)
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
			t.Errorf("%q: the length is %d for the participant, and %d for us", wire, got.ContentLength, head.length)
		}
	})
}
