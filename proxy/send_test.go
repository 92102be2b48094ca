package proxy

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestARequestBodyReachesTheAppByteForByte(t *testing.T) {
	multipart := "--b\r\nContent-Disposition: form-data; name=z\r\n\r\n1\r\n--b\r\n" +
		"content-disposition:form-data;name=\"a\"; filename=x\r\n\r\n" + pattern(100<<10) + "\r\n--b--\r\nepilogue"
	requests := make(chan string, 1)
	app := startApp(t, func(w *wire) {
		head := w.head()
		requests <- head + w.take(len(multipart))
		w.send(ok)
	})
	client := dial(t, startProxy(t, app, nil))
	request := fmt.Sprintf("POST /x HTTP/1.1\r\nHost: h\r\ncontent-type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n%s",
		len(multipart), multipart)
	client.send(request)
	equal(t, "request", receive(t, "request", requests), request)
	equal(t, "answer", client.take(len(ok)), ok)
}

func TestAChunkedRequestIsChunkedAnew(t *testing.T) {
	const head = "PUT / HTTP/1.1\r\nHost: h\r\ntransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
	const want = head + "3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n"
	requests := make(chan string, 1)
	app := startApp(t, func(w *wire) {
		requests <- w.take(len(want))
		w.send(ok)
		w.isEmpty()
	})
	client := dial(t, startProxy(t, app, nil))
	client.send(head + "3;ext=\"x\"\r\nabc\r\n02\r\nde\r\n0\r\nx-t: 1\r\n\r\n")
	equal(t, "request", receive(t, "request", requests), want)
	equal(t, "answer", client.take(len(ok)), ok)
}

func TestTheAppSeesTheHeadBeforeTheBody(t *testing.T) {
	f := func(name, request, body string) {
		t.Run(name, func(t *testing.T) {
			seen := make(chan bool, 1)
			app := startApp(t, func(w *wire) {
				w.head()
				seen <- true
				w.take(len(body))
				w.send(ok)
			})
			client := dial(t, startProxy(t, app, nil))
			client.send(request)
			receive(t, "head", seen)
			client.send(body)
			equal(t, "answer", client.take(len(ok)), ok)
		})
	}
	f("chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n0\r\n\r\n")
	f("sized, after one byte", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na", "bc")
}

func TestAnEarlyAnswerReachesTheUploader(t *testing.T) {
	const size = 20 << 20
	const early = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nstop"
	f := func(name string, script func(*wire), want string) {
		t.Run(name, func(t *testing.T) {
			client := dial(t, startProxy(t, startApp(t, script), nil))
			done := make(chan bool)
			go func() {
				defer close(done)
				client.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size))
				for piece, sent := pattern(64<<10), 0; sent < size; sent += len(piece) {
					client.send(piece)
				}
			}()
			equal(t, "answer", client.take(len(want)), want)
			client.Close()
			<-done
		})
	}
	f("app stops reading", func(w *wire) {
		w.head()
		w.send(early)
		w.CloseWrite()
		w.rest()
	}, strings.Replace(early, "Connection: close\r\nContent-Length: 4", "Content-Length: 4\r\nConnection: close", 1))
	f("app reads on", func(w *wire) {
		w.head()
		w.send("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
		w.rest()
	}, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
}

func TestAfterAnEarlyAnswerTheConnectionsGoOn(t *testing.T) {
	answered := make(chan bool)
	app := startApp(t, func(w *wire) {
		w.head()
		w.send(ok)
		<-answered
		equal(t, "body", w.take(5), "abcde")
		serving(ok)(w)
	})
	client := dial(t, startProxy(t, app, nil))
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
	equal(t, "early answer", client.take(len(ok)), ok)
	close(answered)
	client.send("cdeGET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "next answer", client.take(len(ok)), ok)
	equal(t, "connections to the app", app.conns.Load(), 1)
}

// lingering runs a proxy that waits for a shorter or longer while than usual.
func lingering(t *testing.T, linger time.Duration, script func(*wire)) *Proxy {
	p := newProxy(t, startApp(t, script), nil)
	p.linger = linger
	serve(t, p)
	return p
}

func TestAnUploadGoesOnAfterItsEarlyAnswerForAsLongAsTheAppTakesIt(t *testing.T) {
	const pause = 20 * time.Millisecond
	f := func(name, answer, want string) {
		t.Run(name, func(t *testing.T) {
			body := make(chan string, 1)
			p := lingering(t, pause, func(w *wire) {
				w.head()
				w.send(answer)
				body <- w.take(5)
			})
			client := dial(t, p)
			client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
			equal(t, "early answer", client.take(len(want)), want)
			<-time.After(3 * pause)
			client.send("cde")
			equal(t, "body", receive(t, "body", body), "abcde")
		})
	}
	f("kept", ok, ok)
	f("closing", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
}

func TestAnUploadThatTheAppTurnsAwayIsHeardOutForAsLongAsItComes(t *testing.T) {
	const linger, pause, pieces = time.Second, 50 * time.Millisecond, 24
	f := func(name, wantStatus string, script func(*wire)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := dial(t, lingering(t, linger, script))
			client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nab")
			for range pieces { // all in all, longer than linger
				<-time.After(pause)
				if _, err := client.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			got, err := client.rest() // which comes with the end of the connection
			equal(t, "error", err, nil)
			if !strings.HasPrefix(got, "HTTP/1.1 "+wantStatus) {
				t.Errorf("got %q, want %s", got, wantStatus)
			}
		})
	}
	f("with an answer", "413", func(w *wire) {
		w.head()
		w.send("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop")
	})
	f("without one", "502", func(w *wire) { w.head() })
}

func TestAnAppThatClosesDuringAnUploadIsSeenToClose(t *testing.T) {
	f := func(name string, linger time.Duration) {
		t.Run(name, func(t *testing.T) {
			p := lingering(t, linger, func(w *wire) {
				w.head()
				w.send(ok)
			})
			client := dial(t, p)
			client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
			got, _ := client.rest()
			equal(t, "answer", got, ok)
			if linger < patience { // the end of the upload does not come
				eventually(t, "nobody is connected", func() bool { return p.Stats().Connections == 0 })
			}
		})
	}
	f("at once", time.Hour)
	f("and a silent participant is cut", time.Millisecond)
}

func TestAnAnswerWithoutLengthThatIsCutDuringAnUploadLooksCut(t *testing.T) {
	read := make(chan bool)
	const answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc"
	client := dial(t, startProxy(t, startApp(t, func(w *wire) {
		w.head()
		w.send(answer)
		<-read
		w.SetLinger(0)
	}), nil))
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
	equal(t, "answer", client.take(len(answer)), answer)
	close(read)
	if _, err := client.rest(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the answer ended with %v, want a reset", err)
	}
}

func TestABadChunkIsRefusedAndCutsTheRequest(t *testing.T) {
	f := func(chunks string) {
		t.Helper()
		got := make(chan string, 1)
		app := startApp(t, func(w *wire) {
			w.head()
			body, _ := w.rest()
			got <- body
		})
		client := dial(t, startProxy(t, app, nil))
		client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n" + chunks)
		if head := client.head(); !strings.HasPrefix(head, "HTTP/1.1 400 ") {
			t.Errorf("%q gave %q, want 400", chunks, head)
		}
		if app.conns.Load() > 0 {
			if body := receive(t, "body", got); strings.Contains(body, "0\r\n\r\n") {
				t.Errorf("%q let the app see a whole request: %q", chunks, body)
			}
		}
	}
	f("x\r\nb\r\n0\r\n\r\n")
	f("1;a\nb\r\nb\r\n0\r\n\r\n") // CVE-2025-55315
	f("1\nb\r\n0\r\n\r\n")
	f("-1\r\nb\r\n0\r\n\r\n")
	f("1\r\nbc\r\n0\r\n\r\n")
	f("0\r\nHost: other\r\n\r\n")
	f("ffffffffffffffffff\r\nb\r\n")
}

func TestExpectContinueDoesNotStall(t *testing.T) {
	requests := make(chan string, 2)
	app := startApp(t, func(w *wire) {
		for head := w.head(); head != ""; head = w.head() {
			requests <- head + w.take(2)
			w.send(ok)
		}
	})
	client := dial(t, startProxy(t, app, nil))
	for _, expect := range []string{"Expect: 100-continue", "expect: 100-Continue"} {
		client.send("POST / HTTP/1.1\r\nHost: h\r\n" + expect + "\r\nContent-Length: 2\r\n\r\n")
		equal(t, "interim", client.head(), "HTTP/1.1 100 Continue\r\n\r\n")
		client.send("ab")
		equal(t, "request", receive(t, "request", requests), "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab")
		equal(t, "answer", client.take(len(ok)), ok)
	}
}

func TestAGetMayHaveABody(t *testing.T) {
	app := startApp(t, func(w *wire) {
		w.head()
		equal(t, "body", w.take(3), "abc")
		w.send(ok)
	})
	client := dial(t, startProxy(t, app, nil))
	client.send("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
	equal(t, "answer", client.take(len(ok)), ok)
}
