package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules"
)

// patience bounds what should happen at once; no test waits for it to pass.
const patience = 10 * time.Second

// wire is one end of a connection, where bytes are compared and not parsed.
type wire struct {
	*net.TCPConn
	t  testing.TB
	in *bufio.Reader
}

// scriptedApp is an app that does exactly what a test says, on raw connections.
type scriptedApp struct {
	net.Listener
	conns atomic.Int64 // accepted so far
	wait  sync.WaitGroup
}

func newWire(t testing.TB, conn net.Conn) *wire {
	conn.SetDeadline(time.Now().Add(patience))
	return &wire{conn.(*net.TCPConn), t, bufio.NewReaderSize(conn, 256<<10)}
}

// startApp runs script on each connection to the app, and then closes it.
func startApp(t testing.TB, script func(w *wire)) *scriptedApp {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &scriptedApp{Listener: l}
	a.wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			a.conns.Add(1)
			a.wait.Go(func() {
				defer conn.Close()
				script(newWire(t, conn))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		a.wait.Wait()
	})
	return a
}

// startProxy runs a proxy in front of the app, and shuts it down after the test.
func startProxy(t testing.TB, app *scriptedApp, change func(*Config)) *Proxy {
	t.Helper()
	p := newProxy(t, app, change)
	serve(t, p)
	return p
}

// newProxy makes a proxy in front of the app.
func newProxy(t testing.TB, app *scriptedApp, change func(*Config)) *Proxy {
	t.Helper()
	config := Config{Listen: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)}
	if app != nil {
		config.App = "http://" + app.Addr().String()
	}
	if change != nil {
		change(&config)
	}
	p, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serve runs p, and shuts it down after the test.
func serve(t testing.TB, p *Proxy) {
	t.Helper()
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		p.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// dial connects a participant.
func dial(t testing.TB, p *Proxy) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return newWire(t, conn)
}

// send writes all of text.
func (w *wire) send(text string) {
	if _, err := io.WriteString(w, text); err != nil && !errors.Is(err, net.ErrClosed) {
		w.t.Logf("send: %v", err)
	}
}

// head reads up to the empty line that ends a head; empty when there is none.
func (w *wire) head() string {
	var head []byte
	for {
		line, err := w.in.ReadBytes('\n')
		head = append(head, line...)
		if err != nil {
			return string(head)
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return string(head)
		}
	}
}

// take reads n bytes, or what comes before the end.
func (w *wire) take(n int) string {
	buf := make([]byte, n)
	n, _ = io.ReadFull(w.in, buf)
	return string(buf[:n])
}

// rest reads up to the end of the connection.
func (w *wire) rest() (string, error) {
	all, err := io.ReadAll(w.in)
	return string(all), err
}

// ended waits for the other side to close, and fails when it sends something instead.
func (w *wire) ended() {
	w.t.Helper()
	b, err := w.in.ReadByte()
	var timeout net.Error
	if err == nil {
		w.t.Errorf("got %q instead of the end of the connection", string(b)+w.take(w.in.Buffered()))
	} else if errors.As(err, &timeout) && timeout.Timeout() {
		w.t.Error("the connection was not closed")
	}
}

// isEmpty fails when something has come that was not asked for.
func (w *wire) isEmpty() {
	w.t.Helper()
	if n := w.in.Buffered(); n > 0 {
		w.t.Errorf("got %q, which is too much", w.take(n))
	}
}

// serving answers every request with the same bytes, after its head.
func serving(answer string) func(*wire) {
	return func(w *wire) {
		for w.head() != "" {
			w.send(answer)
		}
	}
}

// ok is the answer "ok".
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func equal[T any](t interface {
	Helper()
	Errorf(string, ...any)
}, what string, got, want T,
) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// receive takes from a channel, and fails the test if nothing comes.
func receive[T any](t testing.TB, what string, from <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(patience):
		t.Fatalf("no %s", what)
	}
	return value
}

// watcher is a Watcher made of a function.
type watcher func(method, target string) func(rules.Exchange)

func (w watcher) Begin(method, target []byte) func(rules.Exchange) {
	return w(string(method), string(target))
}

// watchAll watches everything and sends what it hears of.
func watchAll(to chan<- rules.Exchange) watcher {
	return func(string, string) func(rules.Exchange) {
		return func(x rules.Exchange) { to <- x }
	}
}

// pattern returns n bytes that differ by their place.
func pattern(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%08x", i)
	}
	return b.String()[:n]
}
