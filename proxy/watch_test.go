package proxy

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/rules"
)

func TestAWatchedExchangeIsToldAsItCrossedTheWire(t *testing.T) {
	heard := make(chan rules.Exchange, 1)
	answers := make(chan string, 1)
	app := startApp(t, func(w *wire) {
		for head := w.head(); head != ""; head = w.head() {
			if strings.HasPrefix(head, "POST") {
				w.take(len(`{"a":1}`))
			}
			w.send(<-answers)
		}
	})
	client := dial(t, startProxy(t, app, func(c *Config) { c.Watcher = watchAll(heard) }))
	f := func(request, answer string, want rules.Exchange) {
		t.Helper()
		client.send(request)
		answers <- answer
		got := receive(t, "exchange", heard)
		equal(t, "exchange", got, want)
		equal(t, "answer", client.take(len(answer)), answer)
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

func TestTheEndOfAWatchedAnswerWaitsForTheWatcher(t *testing.T) {
	f := func(name, answer, before string, first, second string) {
		t.Run(name, func(t *testing.T) {
			told, release := make(chan bool), make(chan bool)
			app := startApp(t, func(w *wire) {
				w.head()
				w.send(first)
				if second != "" {
					<-release
					w.send(second)
				}
			})
			client := dial(t, startProxy(t, app, func(c *Config) {
				c.Watcher = watcher(func(string, string) func(rules.Exchange) {
					return func(rules.Exchange) {
						told <- true
						<-release
					}
				})
			}))
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			equal(t, "before the end", client.take(len(before)), before)
			if second != "" {
				release <- true // let the app go on
			}
			receive(t, "word to the watcher", told)
			client.isEmpty()
			release <- true
			equal(t, "after", client.take(len(answer)-len(before)), answer[len(before):])
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

func TestOnlyWhatTheWatcherWantsIsWatched(t *testing.T) {
	asked := make(chan string, 1)
	p := startProxy(t, startApp(t, serving(ok)), func(c *Config) {
		c.Watcher = watcher(func(method, target string) func(rules.Exchange) {
			asked <- method + " " + target
			return nil
		})
	})
	client := dial(t, p)
	f := func(target, want string) {
		t.Helper()
		client.send("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "asked", receive(t, "question", asked), want)
		equal(t, "answer", client.take(len(ok)), ok)
	}
	f("/a//b/%2F?x=%20", "GET /a//b/%2F?x=%20")
	f("http://h/api?x", "GET /api?x")
	f("http://h", "GET ")
	equal(t, "watched", p.Stats().Watched, 0)
}

func TestCompressedBodiesAreDecodedInTheCopyOnly(t *testing.T) {
	heard := make(chan rules.Exchange, 1)
	plain := []byte(pattern(5000))
	f := func(coding string, packed []byte, want []byte, why string) {
		t.Run(coding, func(t *testing.T) {
			answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", coding, len(packed), packed)
			app := startApp(t, func(w *wire) {
				if head := w.head(); !strings.Contains(head, "Accept-Encoding: gzip, br\r\n") {
					t.Errorf("Accept-Encoding was changed: %q", head)
				}
				w.take(len(packed))
				w.send(answer)
			})
			client := dial(t, startProxy(t, app, func(c *Config) { c.Watcher, c.InspectLimit = watchAll(heard), 6000 }))
			client.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip, br\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s",
				coding, len(packed), packed))
			equal(t, "answer", client.take(len(answer)), answer)
			x := receive(t, "exchange", heard)
			equal(t, "request", string(x.RequestBody), string(want))
			equal(t, "response", string(x.ResponseBody), string(want))
			equal(t, "uninspected", x.Uninspected, why)
			equal(t, "status", x.Status, 200)
		})
	}
	bomb := bytes.Repeat([]byte("0"), 1<<20)
	f("gzip", fasthttp.AppendGzipBytes(nil, plain), plain, "")
	f("GZIP", fasthttp.AppendGzipBytes(nil, plain), plain, "")
	f("deflate", fasthttp.AppendDeflateBytes(nil, plain), plain, "")
	f("br", fasthttp.AppendBrotliBytes(nil, plain), plain, "")
	f("zstd", fasthttp.AppendZstdBytes(nil, plain), plain, "")
	f("identity", plain, plain, "")
	f("gzip", fasthttp.AppendGzipBytes(nil, bomb), nil, tooLarge)
	f("br", fasthttp.AppendBrotliBytes(nil, bomb), nil, tooLarge)
	f("zstd", fasthttp.AppendZstdBytes(nil, bomb), nil, tooLarge)
	f("gzip", []byte("no gzip"), nil, undecodable)
	f("gzip", fasthttp.AppendGzipBytes(nil, plain)[:100], nil, undecodable)
	f("gzip, br", plain, nil, undecodable)
	f("compress", plain, nil, undecodable)
}

func TestTwoCodingsAreNotGuessedAt(t *testing.T) {
	heard := make(chan rules.Exchange, 1)
	app := startApp(t, serving("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"))
	p := startProxy(t, app, func(c *Config) { c.Watcher = watchAll(heard) })
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "uninspected", receive(t, "exchange", heard).Uninspected, undecodable)
	equal(t, "undecodable", p.Stats().Undecodable, 1)
}

func TestABodyPastTheLimitIsRelayedAndNotInspected(t *testing.T) {
	heard := make(chan rules.Exchange, 1)
	body := pattern(100 << 10)
	answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	app := startApp(t, func(w *wire) {
		w.head()
		w.take(10)
		w.send(answer)
	})
	f := func(limit int, why string, wantLength int) {
		t.Helper()
		p := startProxy(t, app, func(c *Config) { c.Watcher, c.InspectLimit = watchAll(heard), limit })
		client := dial(t, p)
		client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789")
		equal(t, "answer", client.take(len(answer)), answer)
		x := receive(t, "exchange", heard)
		equal(t, "uninspected", x.Uninspected, why)
		equal(t, "body", len(x.ResponseBody), wantLength)
		equal(t, "status", x.Status, 200)
	}
	f(len(body), "", len(body))
	f(len(body)-1, tooLarge, 0)
	f(9, tooLarge, 0)
}

func TestAnAnswerThatNeverCameWholeHasStatus0(t *testing.T) {
	f := func(name, answer, why string) {
		t.Run(name, func(t *testing.T) {
			heard := make(chan rules.Exchange, 1)
			app := startApp(t, func(w *wire) {
				w.head()
				w.send(answer)
			})
			p := startProxy(t, app, func(c *Config) { c.Watcher = watchAll(heard) })
			client := dial(t, p)
			client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			client.rest()
			equal(t, "exchange", receive(t, "exchange", heard), rules.Exchange{Host: "h", Uninspected: why})
		})
	}
	f("no head", "", "")
	f("half a head", "HTTP/1.1 200 OK\r\nX", "")
	f("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", truncated)
	f("no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", truncated)
}

func TestAnUnreachableAppEndsAWatchedExchange(t *testing.T) {
	heard := make(chan rules.Exchange, 1)
	p := startProxy(t, nil, func(c *Config) {
		c.App, c.DialWindow, c.Watcher = "unix:"+t.TempDir()+"/none", 1, watchAll(heard)
	})
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "status", receive(t, "exchange", heard).Status, 0)
}

func TestARequestSentAgainIsOneExchange(t *testing.T) {
	heard := make(chan rules.Exchange, 10)
	app := startApp(t, func(w *wire) {
		w.head()
		w.send(ok)
		w.head() // and close without a word
	})
	p := startProxy(t, app, func(c *Config) { c.Watcher = watchAll(heard) })
	client := dial(t, p)
	for range 2 {
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "answer", client.take(len(ok)), ok)
		equal(t, "status", receive(t, "exchange", heard).Status, 200)
	}
	equal(t, "sent again", p.Stats().Resent, 1)
	equal(t, "exchanges", len(heard), 0)
}

func TestAPanicInWatchingDoesNotTouchTheRequest(t *testing.T) {
	f := func(name string, w watcher) {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, startApp(t, serving(ok)), func(c *Config) { c.Watcher = w })
			client := dial(t, p)
			for range 2 {
				client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				equal(t, "answer", client.take(len(ok)), ok)
			}
			equal(t, "panics", p.Stats().Panics, 2)
		})
	}
	f("beginning", func(string, string) func(rules.Exchange) { panic("secret") })
	f("ending", func(string, string) func(rules.Exchange) { return func(rules.Exchange) { panic("secret") } })
}

// slowToReturn is a writer to the app whose last write returns late.
type slowToReturn struct {
	*exchange
	left    int
	release <-chan bool
}

func (w *slowToReturn) Write(p []byte) (int, error) {
	n, err := appWriter{&w.upload}.Write(p)
	if w.left -= n; w.left == 0 {
		<-w.release
	}
	return n, err
}

func TestAnAnswerThatOvertakesTheEndOfSendingIsInspected(t *testing.T) {
	f := func(head, first, second string) {
		t.Helper()
		app := startApp(t, func(w *wire) {
			w.take(len(head + first + second))
			w.send(ok)
		})
		heard, told := make(chan rules.Exchange, 1), make(chan bool)
		p := newProxy(t, app, func(c *Config) {
			c.Watcher = watcher(func(string, string) func(rules.Exchange) {
				return func(x rules.Exchange) {
					heard <- x
					close(told)
				}
			})
		})
		p.exchanges.New = func() any {
			e := newExchange(p)
			e.upload.toApp.Reset(&slowToReturn{e, len(head + first + second), told})
			return e
		}
		serve(t, p)
		client := dial(t, p)
		client.send(head + first)
		eventually(t, "the app has the head", func() bool { return app.conns.Load() == 1 })
		client.send(second)
		equal(t, "answer", client.take(len(ok)), ok)
		equal(t, "exchange", receive(t, "exchange", heard),
			rules.Exchange{Host: "h", RequestBody: []byte("abcde"), Status: 200, ResponseBody: []byte("ok")})
	}
	f("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", "ab", "cde")
	f("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\nab\r\n", "3\r\ncde\r\n0\r\n\r\n")
}

func TestAWatchedRequestThatIsAnsweredEarlyIsNotInspected(t *testing.T) {
	heard := make(chan rules.Exchange, 1)
	app := startApp(t, func(w *wire) {
		w.head()
		w.send(ok)
		w.rest()
	})
	client := dial(t, startProxy(t, app, func(c *Config) { c.Watcher = watchAll(heard) }))
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
	x := receive(t, "exchange", heard)
	client.send("cd")
	equal(t, "exchange", x, rules.Exchange{Host: "h", Status: 200, Uninspected: truncated})
	equal(t, "answer", client.take(len(ok)), ok)
}
