package proxy

import (
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules"
)

// lineChannel is an output whose lines a test receives.
type lineChannel chan string

func (c lineChannel) Write(line []byte) (int, error) {
	c <- string(line)
	return len(line), nil
}

func TestEachRequestIsLoggedWhileThatIsWanted(t *testing.T) {
	lines := make(lineChannel, 10)
	app := startApp(t, respondWith(okResponse))
	p := startProxy(t, app, func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(lines, nil))
		c.ShowPath = func(target []byte) string { return strings.ReplaceAll(string(target), "alice", "digest") }
		c.Watcher = watcherFunc(func(_, target string) func(rules.Exchange) {
			if strings.Contains(target, "watched") {
				return func(rules.Exchange) {}
			}
			return nil
		})
	})
	client := dial(t, p)
	f := func(request, want string) {
		t.Helper()
		client.send(request + " HTTP/1.1\r\nHost: h\r\n\r\n")
		client.readHead()
		client.readN(2)
		if line := <-lines; !regexp.MustCompile("level=INFO msg=request "+want).MatchString(line) || strings.Contains(line, "alice") {
			t.Errorf("%s is logged as %s", request, line)
		}
	}
	client.send("GET /not/logged HTTP/1.1\r\nHost: h\r\n\r\n")
	client.readHead()
	client.readN(2)
	p.LogAccess(true)
	f("GET /alice", `method=GET path=/digest status=200 bytes=\d\d+ duration=\S+ response=complete watched=false request=[A-Z0-9]{12}\n`)
	f("POST /watched", "method=POST path=/watched status=200 bytes=.* watched=true ")
	f("ALICE /", "method=other path=/ ")
	f("GET http://h/absolute", "method=GET path=/absolute ")
	p.LogAccess(false)
	client.send("GET /not/logged HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	client.readAll()
	if len(lines) > 0 {
		t.Errorf("a request is logged though that is off: %s", <-lines)
	}
}

func TestWhatThereIsNoResponseOfTheAppForIsLogged(t *testing.T) {
	lines := make(lineChannel, 10)
	p := newProxy(t, nil, func(c *Config) {
		c.App, c.DialWindow, c.Logger = nobody, 1, slog.New(slog.NewTextHandler(lines, nil))
	})
	p.LogAccess(true)
	serve(t, p)
	f := func(request, want string) {
		t.Helper()
		client := dial(t, p)
		client.send(request)
		client.readAll()
		line := <-lines
		for !strings.Contains(line, "msg=request") {
			line = <-lines
		}
		if !strings.Contains(line, want) {
			t.Errorf("%q is logged as %s, want %s", request, line, want)
		}
	}
	f("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: abc\r\n\r\n", "status=503 bytes=")
	f("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: abc\r\n\r\n", "response=replaced watched=false request=abc")
}

func TestTheAppGetsARequestIDIfItIsAskedFor(t *testing.T) {
	f := func(asked bool, fields, want string) {
		t.Helper()
		heads := make(chan string, 1)
		app := startApp(t, func(w *testConn) {
			heads <- w.readHead()
			w.send(okResponse)
		})
		p := startProxy(t, app, func(c *Config) { c.RequestID = asked })
		client := dial(t, p)
		client.send("GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n")
		client.readHead()
		if head := <-heads; !regexp.MustCompile(`^GET / HTTP/1.1\r\nHost: h\r\n` + want + `\r\n$`).MatchString(head) {
			t.Errorf("asked %v, %q: the app got %q, want %q", asked, fields, head, want)
		}
	}
	f(false, "", "")
	f(true, "", `X-Request-Id: [A-Z0-9]{12}\r\n`)
	f(false, "x-request-id: abc\r\n", `x-request-id: abc\r\n`)
	f(true, "x-request-id: abc\r\n", `x-request-id: abc\r\n`)
	f(true, "x-request-id: a b\r\n", `x-request-id: a b\r\n`)
}
