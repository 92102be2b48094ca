package proxy

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAppAddressIsParsed(t *testing.T) {
	f := func(text string, want app) {
		t.Helper()
		got, err := parseApp(text, nil)
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	}
	f("http://127.0.0.1:5000", app{network: "tcp", address: "127.0.0.1:5000"})
	f("http://app:80/", app{network: "tcp", address: "app:80"})
	f("http://app", app{network: "tcp", address: "app:80"})
	f("http://[::1]:5000", app{network: "tcp", address: "[::1]:5000"})
	f("unix:/run/app.sock", app{network: "unix", address: "/run/app.sock"})

	bad := func(text string) {
		t.Helper()
		_, err := New(Config{App: text})
		if err == nil {
			t.Errorf("%q is accepted", text)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("the error has a password: %v", err)
		}
	}
	bad("")
	bad("127.0.0.1:5000")
	bad("ftp://app")
	bad("https://")
	bad("https://app/base")
	bad("https://user:hush@app")
	bad("http://")
	bad("http://app/base")
	bad("http://app?x=1")
	bad("http://user:hush@app")
	bad("http://user:hush@app/base")
	bad("unix:")
	bad("unix://host/path")
	bad("http://user:hush@app:port")
}

func TestAppMayListenOnAUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, 4096)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
			conn.Write([]byte(okResponse))
		}
	}()
	client := dial(t, startProxy(t, nil, func(c *Config) { c.App = "unix:" + path }))
	for range 3 {
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "response", client.readN(len(okResponse)), okResponse)
	}
}

func TestStartingAppIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	p := startProxy(t, nil, func(c *Config) { c.App, c.DialWindow = "unix:"+path, testTimeout })
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if p.Ready(ctx) == nil {
		t.Error("ready without an app")
	}
	client := dial(t, p)
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
	for p.Stats().Requests == 0 { // until the request has come
		time.Sleep(time.Millisecond)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.Write([]byte(okResponse))
	equal(t, "response", client.readN(len(okResponse)), okResponse)
	conn.Close()
	if err := p.Ready(ctx); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

func TestUnreachableAppGives503(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	p := startProxy(t, nil, func(c *Config) { c.App, c.DialWindow = "unix:"+path, 10*time.Millisecond })
	f := func(request, body string) {
		t.Helper()
		client := dial(t, p)
		client.send(request)
		got, _ := client.readAll()
		if !strings.HasPrefix(got, "HTTP/1.1 503 ") || !strings.Contains(got, "\r\nRetry-After: 5\r\n") || !strings.HasSuffix(got, body) {
			t.Errorf("got %q, want 503 with Retry-After", got)
		}
	}
	f("GET / HTTP/1.1\r\nHost: h\r\n\r\n", unavailable.text)
	f("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n")
	f("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", unavailable.text)
	equal(t, "failed dials", p.Stats().AppDial, 3)
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket was created")
	}
}

// TestRequestOutlastsARestartOfTheApp makes sure that only connecting is retried for
// a request that comes while the app restarts.
func TestRequestOutlastsARestartOfTheApp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	heads := make(chan string, 10)
	start := func() (stop func()) {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan bool)
		go func() {
			defer close(ended)
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			buf := make([]byte, 4096)
			n, _ := conn.Read(buf)
			heads <- string(buf[:n])
			conn.Write([]byte(okResponse))
		}()
		return func() {
			l.Close()
			<-ended
		}
	}
	p := startProxy(t, nil, func(c *Config) { c.App, c.DialWindow = "unix:"+path, testTimeout })
	client := dial(t, p)
	for i, name := range []string{"/first", "/second", "/third"} {
		request := "POST " + name + " HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
		client.send(request) // while the app is down
		eventually(t, "the request has come", func() bool { return p.Stats().Requests == uint64(i+1) })
		stop := start()
		equal(t, "request", receive(t, "request", heads), request)
		equal(t, "response", client.readN(len(okResponse)), okResponse)
		stop()
	}
	equal(t, "requests seen twice", len(heads), 0)
	equal(t, "resent", p.Stats().Resent, 0)
	equal(t, "failed dials", p.Stats().AppDial, 0)
}

func TestTheAppGetsAnotherWindowIfTheProcessStoodStill(t *testing.T) {
	const window = 2 * time.Second
	f := func(what string, took time.Duration, isRefused, isReached bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			conn, err := dialInWindows(t.Context(), window, func(ctx context.Context) (*appConn, error) {
				if attempts++; attempts == 1 || isRefused {
					time.Sleep(took)
					return nil, os.ErrDeadlineExceeded
				}
				return &appConn{}, ctx.Err()
			})
			if got := err == nil && conn != nil; got != isReached {
				t.Errorf("%s: after %d attempts, reached %t (%v), want %t", what, attempts, got, err, isReached)
			}
		})
	}
	f("an attempt that took the whole window", window, false, false)
	f("one that took much longer", 6*time.Second, false, true)
	f("an app that does not accept connections", 6*time.Second, true, false)
}
