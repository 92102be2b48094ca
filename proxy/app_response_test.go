package proxy

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// unfinished marks, at the end of a response, that the app keeps its connection open.
const unfinished = "…"

// startOddApp returns a proxy, and a function that has the app send a raw response, as a
// whole or byte by byte, and returns what a participant got.
func startOddApp(t testing.TB) (p *Proxy, respond func(t testing.TB, response string, byteByByte bool) string) {
	responses := make(chan func(*testConn), 1)
	p = startProxy(t, startApp(t, func(w *testConn) {
		for w.readHead() != "" {
			(<-responses)(w)
			w.Close()
		}
	}), nil)
	return p, func(t testing.TB, response string, byteByByte bool) string {
		t.Helper()
		got := make(chan struct{})
		responses <- func(w *testConn) {
			raw, isOpen := strings.CutSuffix(response, unfinished)
			for len(raw) > 0 {
				size := len(raw)
				if byteByByte {
					size = 1
				}
				if _, err := io.WriteString(w, raw[:size]); err != nil {
					break
				}
				raw = raw[size:]
			}
			if isOpen {
				<-got
			}
		}
		client := dial(t, p)
		defer client.Close()
		defer close(got)
		client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		all, err := client.readAll()
		if err != nil && endOf(err) == "" {
			t.Errorf("%q: no end of the response: %v", response, err)
		}
		return all
	}
}

func TestOddResponsePassesOrIsRefusedAtOnceHoweverItArrives(t *testing.T) {
	_, respond := startOddApp(t)
	f := func(response, want string) {
		t.Helper()
		for _, byteByByte := range []bool{false, true} {
			got := strings.Replace(respond(t, response, byteByByte), "Connection: close\r\n", "", 1)
			got = strings.Replace(got, "1\r\no\r\n1\r\nk\r\n", "2\r\nok\r\n", 1) // chunks pass as they come
			if strings.HasPrefix(got, "HTTP/1.1 502 ") {
				got = "502"
			}
			equal(t, fmt.Sprintf("response to %.200q, byte by byte: %v", response, byteByByte), got, want)
		}
	}
	const ok, sized2 = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
	const inChunks = ok + "Transfer-Encoding: chunked\r\n"

	// Line ends (RFC 9112 section 2.2).
	f("HTTP/1.1 200 OK\nContent-Length: 2\n\nok…", sized2+"\r\nok")
	f("HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nok…", sized2+"\r\nok")
	f("HTTP/1.1 200 OK\nContent-Length: 2\r\n\nok…", sized2+"\r\nok")
	f("HTTP/1.1 200\n\nok", "HTTP/1.1 200\r\n\r\nok")
	f("HTTP/1.1 103 Early Hints\nA: b\n\n"+sized2+"\r\nok…", "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"+sized2+"\r\nok")
	f(inChunks+"\n2\nok\n0\nX-T: 1\n\n…", inChunks+"\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n")
	f(inChunks+"\r\n2;x=1\nok\r\n0\n\r\n…", inChunks+"\r\n2\r\nok\r\n0\r\n\r\n")
	f("HTTP/1.1 200 O\rK\r\n\r\n…", "502")
	f("HTTP/1.1 200 OK\r\nA: b\rContent-Length: 9\r\nX…", "502")
	f("HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n…", "502")
	f("HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n…", "502")

	// What is no HTTP.
	f("hello…", "502")
	f("\r\n…", "502")
	f("\x16\x03\x01\x02…", "502")
	f("HTTP/2.0 200 OK\r\n…", "502")
	f("HTTP/1.x 200 OK\r\n…", "502")
	f("HTTP/1.1 20 OK\r\n…", "502")
	f("HTTP/1.1\r\n…", "502")
	f("HTTP/1.1 200 OK\r\nhello\r\nA: b…", "502")
	f("HTTP/1.1 200 OK\r\n\u00a0A: b\r\n\r\n…", "502")
	f("HTTP/1.1 200 OK\r\nX@A: b\r\n\r\n…", "502")
	f(strings.TrimSuffix(sized2, "\r\n"), "502")
	f(inChunks+"\r\nhello…", inChunks+"\r\n")
	f(inChunks+"\r\n2\r\nokay…", inChunks+"\r\n2\r\nok\r\n")

	// Whitespace and folds (RFC 9112 sections 5.1 and 5.2).
	f("HTTP/1.1 200 OK\r\nContent-Length \t : 2\r\n\r\nok…", sized2+"\r\nok")
	f(sized2+"A: b\r\n c\r\n\td\r\nE:\r\n f\r\n\r\nok…", sized2+"A: b c d\r\nE: f\r\n\r\nok")
	f(ok+"Content-Length:\n 2\r\n\r\nok…", "502")
	f(ok+"Content-Length: 1\r\n 2\r\n\r\nok…", "502")
	f(ok+"Transfer-Encoding:\r\n chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n…", "502")
	f(ok+" Content-Length: 2\r\n\r\nok…", "502")
	f(ok+"A\r\n : b\r\n\r\n…", "502")

	// Framing (RFC 9112 sections 6.1 and 6.3).
	f(sized2+"A: b\r\ncontent-length:2\r\n\r\nok…", sized2+"A: b\r\n\r\nok")
	f(ok+"Content-Length: 2, 2\r\n\r\nok…", "502")
	f(sized2+"Content-Length: 3\r\n\r\nokay…", "502")
	f(ok+"Content-Length: 2, 3\r\n\r\nokay…", "502")
	f(ok+"Content-Length: 2,\r\n\r\nok…", "502")
	f("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n…", inChunks+"\r\n2\r\nok\r\n0\r\n\r\n")
	f("HTTP/1.2 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n…", inChunks+"\r\n2\r\nok\r\n0\r\n\r\n")
	f("HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", "502")

	// Trailers are held to the same.
	f(inChunks+"\r\n0\r\nX-T : 1\r\n 2\r\n\r\n…", inChunks+"\r\n0\r\nX-T: 1 2\r\n\r\n")
	for _, line := range []string{"hello", "X@A: b", "A: b\rc", "A: \x00", ": b", " A: b"} {
		f(inChunks+"\r\n2\r\nok\r\n0\r\n"+line+"\r\n\r\n…", inChunks+"\r\n2\r\nok\r\n")
	}
}

func TestConnectionOfHTTP10WithChunksIsNotUsedAgain(t *testing.T) {
	app := startApp(t, respondWith("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
	client := dial(t, startProxy(t, app, nil))
	for range 2 {
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		const want = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
		equal(t, "response", client.readN(len(want)), want)
	}
	equal(t, "connections to the app", app.conns.Load(), 2)
}

// FuzzResponse makes sure that whatever an app sends before it closes passes or is
// refused in time, under a head that nobody can read in two ways.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		okResponse, "hello", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\n0\nA : b\n\n", "HTTP/1.1 100 C\n\nHTTP/1.1 200 OK\n\n",
	} {
		f.Add(seed)
	}
	_, respond := startOddApp(f)
	f.Fuzz(func(t *testing.T, wire string) {
		wire = strings.TrimSuffix(wire, unfinished)
		began := time.Now()
		got := respond(t, wire, false)
		if took := time.Since(began); took > testTimeout/2 {
			t.Errorf("%q took %v", wire, took)
		}
		if got == "" || !strings.HasPrefix(got, "HTTP/1.1 ") {
			t.Errorf("%q gave %q", wire, got)
		}
		head, _, _ := strings.Cut(got, "\r\n\r\n")
		if i := strings.IndexAny(strings.ReplaceAll(head, "\r\n", ""), "\r\n\x00"); i >= 0 {
			t.Errorf("%q gave the head %q", wire, head)
		}
	})
}
