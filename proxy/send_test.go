package proxy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules"
)

func TestRequestBodyReachesTheAppByteForByte(t *testing.T) {
	multipart := "--b\r\nContent-Disposition: form-data; name=z\r\n\r\n1\r\n--b\r\n" +
		"content-disposition:form-data;name=\"a\"; filename=x\r\n\r\n" + pattern(100<<10) + "\r\n--b--\r\nepilogue"
	requests := make(chan string, 1)
	app := startApp(t, func(w *testConn) {
		head := w.readHead()
		requests <- head + w.readN(len(multipart))
		w.send(okResponse)
	})
	client := dial(t, startProxy(t, app, nil))
	request := fmt.Sprintf("POST /x HTTP/1.1\r\nHost: h\r\ncontent-type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n%s",
		len(multipart), multipart)
	client.send(request)
	equal(t, "request", receive(t, "request", requests), request)
	equal(t, "response", client.readN(len(okResponse)), okResponse)
}

func TestChunkedRequestIsRechunked(t *testing.T) {
	const head = "PUT / HTTP/1.1\r\nHost: h\r\ntransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
	const want = head + "3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n"
	requests := make(chan string, 1)
	app := startApp(t, func(w *testConn) {
		requests <- w.readN(len(want))
		w.send(okResponse)
		w.expectNothing()
	})
	client := dial(t, startProxy(t, app, nil))
	client.send(head + "3;ext=\"x\"\r\nabc\r\n02\r\nde\r\n0\r\nx-t: 1\r\n\r\n")
	equal(t, "request", receive(t, "request", requests), want)
	equal(t, "response", client.readN(len(okResponse)), okResponse)
}

func TestAppSeesTheHeadBeforeTheBody(t *testing.T) {
	f := func(name, request, body string) {
		t.Run(name, func(t *testing.T) {
			seen := make(chan bool, 1)
			app := startApp(t, func(w *testConn) {
				w.readHead()
				seen <- true
				w.readN(len(body))
				w.send(okResponse)
			})
			client := dial(t, startProxy(t, app, nil))
			client.send(request)
			receive(t, "head", seen)
			client.send(body)
			equal(t, "response", client.readN(len(okResponse)), okResponse)
		})
	}
	f("chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n0\r\n\r\n")
	f("sized, after one byte", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na", "bc")
}

func TestMalformedChunkIsRefusedAndTruncatesTheRequest(t *testing.T) {
	f := func(chunks string, hasKept bool) {
		t.Helper()
		got := make(chan string, 2)
		app := startApp(t, func(w *testConn) {
			for strings.HasPrefix(w.readHead(), "GET ") {
				w.send(okResponse)
			}
			body, _ := w.readAll()
			got <- body
		})
		client := dial(t, startProxy(t, app, nil))
		if hasKept {
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			client.readN(len(okResponse))
		}
		client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n" + chunks)
		if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 400 ") {
			t.Errorf("%q gave %q, want 400", chunks, head)
		}
		if app.conns.Load() > 0 {
			if body := receive(t, "body", got); strings.Contains(body, "0\r\n\r\n") {
				t.Errorf("%q let the app see a whole request: %q", chunks, body)
			}
		}
	}
	for _, hasKept := range []bool{false, true} { // a connection to the app
		f("x\r\nb\r\n0\r\n\r\n", hasKept)
		f("1;a\nb\r\nb\r\n0\r\n\r\n", hasKept) // CVE-2025-55315
		f("1\nb\r\n0\r\n\r\n", hasKept)
		f("-1\r\nb\r\n0\r\n\r\n", hasKept)
		f("1\r\nbc\r\n0\r\n\r\n", hasKept)
		f("1\r\nbc\r\n0\r\n\r\nmore", hasKept)
		f("0\r\nHost: other\r\n\r\n", hasKept)
		f("ffffffffffffffffff\r\nb\r\n", hasKept)
	}
}

func TestExpectIsForTheApp(t *testing.T) {
	const goOn, sized, chunked = "HTTP/1.1 100 Continue\r\n\r\n", "Content-Length: 2", "Transfer-Encoding: chunked"
	f := func(what, fields, body, interim, response string) {
		t.Helper()
		requests := make(chan string, 1)
		app := startApp(t, func(w *testConn) {
			head := w.readHead()
			w.send(interim)
			if interim != "" {
				head += w.readN(len(body))
			}
			requests <- head
			w.send(response)
		})
		client := dial(t, startProxy(t, app, nil))
		head := "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n\r\n"
		client.send(head)
		want := head
		if interim != "" {
			equal(t, what+": interim", client.readN(len(interim)), interim)
			client.send(body)
			want += body
		}
		equal(t, what+": request", receive(t, "request", requests), want)
		equal(t, what+": response", client.readN(len(response)), response)
	}
	f("sized", "Expect: 100-continue\r\n"+sized, "ab", goOn, okResponse)
	f("in other letters", "expect: 100-Continue\r\n"+sized, "ab", goOn, okResponse)
	f("chunked", "Expect: 100-continue\r\n"+chunked, "2\r\nab\r\n0\r\n\r\n", goOn, okResponse)
	f("refused", "Expect: 100-continue\r\n"+sized, "", "", "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
}

func TestTheHeadOfAnUploadDoesNotWaitForTheBody(t *testing.T) {
	heads := make(chan string, 1)
	bodies := make(chan string, 1)
	app := startApp(t, func(w *testConn) {
		for head := w.readHead(); head != ""; head = w.readHead() {
			heads <- head
			bodies <- w.readN(3)
			w.send(okResponse)
		}
	})
	client := dial(t, startProxy(t, app, nil))
	const head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"
	for _, pieces := range [][]string{{"a", "bc"}, {"abc"}, {"a", "b", "c"}} {
		client.send(head)
		equal(t, "head", receive(t, "head", heads), head)
		for _, piece := range pieces {
			client.send(piece)
		}
		equal(t, "body", receive(t, "body", bodies), "abc")
		equal(t, "response", client.readN(len(okResponse)), okResponse)
	}
}

func TestABodyThatNeverBeginsIsNotTakenFromTheNextRequest(t *testing.T) {
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.send(okResponse)
	})
	client := dial(t, startProxy(t, app, nil))
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n")
	equal(t, "response", client.readN(len(okResponse)), okResponse)
	client.expectEnd()
}

func TestGetMayHaveABody(t *testing.T) {
	app := startApp(t, func(w *testConn) {
		w.readHead()
		equal(t, "body", w.readN(3), "abc")
		w.send(okResponse)
	})
	client := dial(t, startProxy(t, app, nil))
	client.send("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
	equal(t, "response", client.readN(len(okResponse)), okResponse)
}

// chunkedUpload is a whole chunked request.
const chunkedUpload = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nX-T: 1\r\n\r\n"

func TestBrokenChunkedUploadNeverLooksCompleteToTheApp(t *testing.T) {
	got := make(chan string, len(chunkedUpload))
	app := startApp(t, func(w *testConn) {
		w.readHead()
		body, _ := w.readAll()
		got <- body
	})
	exchanges := make(chan rules.Exchange, 1)
	p := startProxy(t, app, func(c *Config) { c.Watcher = watchAll(exchanges) })
	for size := strings.Index(chunkedUpload, "\r\n\r\n") + 4; size < len(chunkedUpload); size++ {
		client := dial(t, p)
		client.send(chunkedUpload[:size])
		client.CloseWrite()
		client.readAll()
		equal(t, "status", receive(t, "exchange", exchanges).Status, 0)
	}
	app.Close()
	app.wait.Wait() // until all requests have ended there, too
	close(got)
	for body := range got {
		if strings.Contains(body, "\r\n0\r\n") {
			t.Errorf("the app could take %q for a whole body", body)
		}
	}
}
