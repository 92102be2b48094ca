package proxy

import (
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
)

func TestWatcherGetsTheExchangeAsItCrossedTheWire(t *testing.T) {
	exchanges := make(chan rules.Exchange, 1)
	responses := make(chan string, 1)
	app := startApp(t, func(w *testConn) {
		for head := w.readHead(); head != ""; head = w.readHead() {
			if strings.HasPrefix(head, "POST") {
				w.readN(len(`{"a":1}`))
			}
			w.send(<-responses)
		}
	})
	client := dial(t, startProxy(t, app, func(c *Config) { c.Watcher = watchAll(exchanges) }))
	f := func(request, response string, want rules.Exchange) {
		t.Helper()
		client.send(request)
		responses <- response
		got := receive(t, "exchange", exchanges)
		equal(t, "exchange", got, want)
		equal(t, "response", client.readN(len(response)), response)
	}
	f("GET /a HTTP/1.1\r\nHost: H.example\r\ntraceparent: 00-ab\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
		rules.Exchange{Host: "H.example", Traceparent: "00-ab", Status: 200, ContentType: "application/json", ResponseBody: []byte("{}")})
	f("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
		"HTTP/1.1 204 No Content\r\n\r\n",
		rules.Exchange{Host: "h", RequestBody: []byte(`{"a":1}`), Status: 204})
	f("GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
		rules.Exchange{Host: "h", Status: 200, ContentType: "text/html", ResponseBody: []byte("abcde")})
	f("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		rules.Exchange{Host: "h", Status: 200})
}

func TestWatcherGetsTheTimeWhenTheResponseEnded(t *testing.T) {
	exchanges, release := make(chan rules.Exchange, 1), make(chan bool)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
		<-release
		w.send("b")
	})
	client := dial(t, startProxy(t, app, func(c *Config) {
		c.Watcher = watcherFunc(func(string, string) func(rules.Exchange) {
			return func(x rules.Exchange) { exchanges <- x }
		})
	}))
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	client.readHead()
	begun := time.Now()
	close(release)
	ended := receive(t, "exchange", exchanges).Ended
	if ended.Before(begun) || ended.After(time.Now()) {
		t.Errorf("it ended %v after its last byte was sent", ended.Sub(begun))
	}
}

func TestEndOfAWatchedResponseWaitsForTheWatcher(t *testing.T) {
	f := func(name, response, before string, first, second string) {
		t.Run(name, func(t *testing.T) {
			watched, release := make(chan bool), make(chan bool)
			app := startApp(t, func(w *testConn) {
				w.readHead()
				w.send(first)
				if second != "" {
					<-release
					w.send(second)
				}
			})
			client := dial(t, startProxy(t, app, func(c *Config) {
				c.Watcher = watcherFunc(func(string, string) func(rules.Exchange) {
					return func(rules.Exchange) {
						watched <- true
						<-release
					}
				})
			}))
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			equal(t, "before the end", client.readN(len(before)), before)
			if second != "" {
				release <- true // for the app
			}
			receive(t, "call of the watcher", watched)
			client.expectNothing()
			release <- true
			equal(t, "after", client.readN(len(response)-len(before)), response[len(before):])
		})
	}
	const sized = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
	const chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	const bare = "HTTP/1.1 204 No Content\r\n\r\n"
	f("sized, at once", sized+"abcd", "", sized+"abcd", "")
	f("sized, in two", sized+"abcd", sized+"ab", sized+"ab", "cd")
	f("chunked, at once", chunks+"2\r\nab\r\n0\r\n\r\n", "", chunks+"2\r\nab\r\n0\r\n\r\n", "")
	f("chunked, in two", chunks+"2\r\nab\r\n0\r\n\r\n", chunks+"2\r\nab\r\n", chunks+"2\r\nab\r\n", "0\r\n\r\n")
	f("bare", bare, "", bare, "")
}

func TestOnlyExchangesOfInterestAreWatched(t *testing.T) {
	calls := make(chan string, 1)
	p := startProxy(t, startApp(t, respondWith(okResponse)), func(c *Config) {
		c.Watcher = watcherFunc(func(method, target string) func(rules.Exchange) {
			calls <- method + " " + target
			return nil
		})
	})
	client := dial(t, p)
	f := func(target, want string) {
		t.Helper()
		client.send("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "call", receive(t, "call", calls), want)
		equal(t, "response", client.readN(len(okResponse)), okResponse)
	}
	f("/a//b/%2F?x=%20", "GET /a//b/%2F?x=%20")
	f("http://h/api?x", "GET /api?x")
	f("http://h", "GET ")
	equal(t, "watched", p.Stats().Watched, 0)
}

func TestIncompleteResponseHasStatus0(t *testing.T) {
	f := func(name, response, why string) {
		t.Run(name, func(t *testing.T) {
			exchanges := make(chan rules.Exchange, 1)
			app := startApp(t, func(w *testConn) {
				w.readHead()
				w.send(response)
			})
			p := startProxy(t, app, func(c *Config) { c.Watcher = watchAll(exchanges) })
			client := dial(t, p)
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			client.readAll()
			equal(t, "exchange", receive(t, "exchange", exchanges), rules.Exchange{Host: "h", LacksResponse: why})
		})
	}
	f("no head", "", "")
	f("half a head", "HTTP/1.1 200 OK\r\nX", "")
	f("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", truncated)
	f("no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", truncated)
}

func TestUnreachableAppEndsAWatchedExchange(t *testing.T) {
	exchanges := make(chan rules.Exchange, 1)
	p := startProxy(t, nil, func(c *Config) {
		c.App, c.DialWindow, c.Watcher = "unix:"+t.TempDir()+"/none", 1, watchAll(exchanges)
	})
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "status", receive(t, "exchange", exchanges).Status, 0)
}

func TestResentRequestIsOneExchange(t *testing.T) {
	exchanges := make(chan rules.Exchange, 10)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.send(okResponse)
		w.readHead() // and close without a response
	})
	p := startProxy(t, app, func(c *Config) { c.Watcher = watchAll(exchanges) })
	client := dial(t, p)
	for range 2 {
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "response", client.readN(len(okResponse)), okResponse)
		equal(t, "status", receive(t, "exchange", exchanges).Status, 200)
	}
	equal(t, "resent", p.Stats().Resent, 1)
	equal(t, "exchanges", len(exchanges), 0)
}

func TestPanicOfTheWatcherDoesNotAffectTheRequest(t *testing.T) {
	f := func(name string, w watcherFunc) {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, startApp(t, respondWith(okResponse)), func(c *Config) { c.Watcher = w })
			client := dial(t, p)
			for range 2 {
				client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				equal(t, "response", client.readN(len(okResponse)), okResponse)
			}
			equal(t, "panics", p.Stats().Panics, 2)
		})
	}
	f("beginning", func(string, string) func(rules.Exchange) { panic("secret") })
	f("ending", func(string, string) func(rules.Exchange) { return func(rules.Exchange) { panic("secret") } })
}

// lateWriter is an appWriter whose last write returns late.
type lateWriter struct {
	*exchange
	left    int
	release <-chan bool
}

func (w *lateWriter) Write(p []byte) (int, error) {
	n, err := appWriter{&w.upload}.Write(p)
	if w.left -= n; w.left == 0 {
		<-w.release
	}
	return n, err
}

func TestResponseThatOvertakesTheEndOfSendingIsInspected(t *testing.T) {
	f := func(head, first, second string) {
		t.Helper()
		app := startApp(t, func(w *testConn) {
			w.readN(len(head + first + second))
			w.send(okResponse)
		})
		exchanges, watched := make(chan rules.Exchange, 1), make(chan bool)
		p := newProxy(t, app, func(c *Config) {
			c.Watcher = watcherFunc(func(string, string) func(rules.Exchange) {
				return func(x rules.Exchange) {
					watchAll(exchanges)("", "")(x)
					close(watched)
				}
			})
		})
		p.exchanges.New = func() any {
			e := newExchange(p)
			e.upload.toApp.Reset(&lateWriter{e, len(head + first + second), watched})
			return e
		}
		serve(t, p)
		client := dial(t, p)
		client.send(head + first)
		eventually(t, "the app has the head", func() bool { return app.conns.Load() == 1 })
		client.send(second)
		equal(t, "response", client.readN(len(okResponse)), okResponse)
		equal(t, "exchange", receive(t, "exchange", exchanges),
			rules.Exchange{Host: "h", RequestBody: []byte("abcde"), Status: 200, ResponseBody: []byte("ok")})
	}
	f("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", "ab", "cde")
	f("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\nab\r\n", "3\r\ncde\r\n0\r\n\r\n")
}

func TestWatchedRequestWithAnEarlyResponseIsNotInspected(t *testing.T) {
	exchanges := make(chan rules.Exchange, 1)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.send(okResponse)
		w.readAll()
	})
	client := dial(t, startProxy(t, app, func(c *Config) { c.Watcher = watchAll(exchanges) }))
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
	x := receive(t, "exchange", exchanges)
	client.send("cd")
	equal(t, "exchange", x, rules.Exchange{Host: "h", Status: 200, LacksRequest: truncated, ResponseBody: []byte("ok")})
	equal(t, "response", client.readN(len(okResponse)), okResponse)
}
