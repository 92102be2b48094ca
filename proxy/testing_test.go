package proxy

import (
	"context"
	"fmt"
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

// testTimeout limits waits for what should happen at once. Only failing tests
// wait that long.
const testTimeout = 10 * time.Second

// okResponse is a small response.
const okResponse = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// scriptedApp is an app that does exactly what a test says, on raw connections.
type scriptedApp struct {
	net.Listener
	conns atomic.Int64 // accepted so far
	wait  sync.WaitGroup
}

// startApp runs script on each connection to the app, and then closes it.
func startApp(t testing.TB, script func(w *testConn)) *scriptedApp {
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
				script(newTestConn(t, conn))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		a.wait.Wait()
	})
	return a
}

// respondWith is the script of an app that sends the same response to every
// request without a body.
func respondWith(response string) func(*testConn) {
	return func(w *testConn) {
		for w.readHead() != "" {
			w.send(response)
		}
	}
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

// watcherFunc is a Watcher.
type watcherFunc func(method, target string) func(rules.Exchange)

func (f watcherFunc) Begin(method, target []byte) func(rules.Exchange) {
	return f(string(method), string(target))
}

// watchAll watches every exchange and sends it on the channel when it ends, without
// the time.
func watchAll(to chan<- rules.Exchange) watcherFunc {
	return func(string, string) func(rules.Exchange) {
		return func(x rules.Exchange) {
			x.Ended = time.Time{}
			to <- x
		}
	}
}

// equal fails the test if got differs from want. It accepts a *rapid.T, too.
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

// receive receives from a channel, and fails the test after testTimeout.
func receive[T any](t testing.TB, what string, from <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(testTimeout):
		t.Fatalf("no %s", what)
	}
	return value
}

// eventually waits until f returns true, and fails the test after testTimeout.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	if !poll(5*time.Millisecond, f) {
		t.Fatalf("it does not become true that %s", what)
	}
}

// awaitKept waits until the proxy keeps a connection to the app for the next request: the
// participant may have the whole response before that.
func awaitKept(t testing.TB, p *Proxy) {
	t.Helper()
	eventually(t, "a connection to the app is kept", func() bool {
		p.pool.mu.Lock()
		defer p.pool.mu.Unlock()
		return len(p.pool.idle) > 0
	})
}

// eventuallySoon is eventually for what happens often, on goroutines other than the test's.
func eventuallySoon(t testing.TB, what string, f func() bool) {
	t.Helper()
	if !poll(20*time.Microsecond, f) {
		t.Errorf("it does not become true that %s", what)
	}
}

// poll reports whether f returned true within testTimeout.
func poll(every time.Duration, f func() bool) bool {
	for deadline := time.Now().Add(testTimeout); !f(); time.Sleep(every) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// pattern returns n bytes in which every position looks different.
func pattern(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%08x", i)
	}
	return b.String()[:n]
}
