package proxy

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheAppsAddress(t *testing.T) {
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
			t.Errorf("%q is taken for an address", text)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("the error tells a password: %v", err)
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

func TestTheAppMayListenOnAUnixSocket(t *testing.T) {
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
			conn.Write([]byte(ok))
		}
	}()
	client := dial(t, startProxy(t, nil, func(c *Config) { c.App = "unix:" + path }))
	for range 3 {
		client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		equal(t, "answer", client.take(len(ok)), ok)
	}
}

func TestAnAppThatStartsIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	p := startProxy(t, nil, func(c *Config) { c.App, c.DialWindow = "unix:"+path, patience })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if p.Ready(ctx) == nil {
		t.Error("ready without an app")
	}
	client := dial(t, p)
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
	for p.Stats().Requests == 0 { // the request is on its way
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
	conn.Write([]byte(ok))
	equal(t, "answer", client.take(len(ok)), ok)
	conn.Close()
	if err := p.Ready(ctx); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

func TestAnAppThatCannotBeReachedIsAnswered503(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	p := startProxy(t, nil, func(c *Config) { c.App, c.DialWindow = "unix:"+path, 10*time.Millisecond })
	f := func(request, body string) {
		t.Helper()
		client := dial(t, p)
		client.send(request)
		got, _ := client.rest()
		if !strings.HasPrefix(got, "HTTP/1.1 503 ") || !strings.Contains(got, "\r\nRetry-After: 5\r\n") || !strings.HasSuffix(got, body) {
			t.Errorf("got %q, want 503 with Retry-After", got)
		}
	}
	f("GET / HTTP/1.1\r\nHost: h\r\n\r\n", unavailable.text)
	f("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n")
	f("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", unavailable.text)
	equal(t, "dials", p.Stats().AppDial, 3)
	if _, err := os.Stat(path); err == nil {
		t.Error("somebody made the socket")
	}
}
