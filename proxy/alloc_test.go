//go:build !race

// The race detector empties sync.Pools at random.

package proxy

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"testing"

	"github.com/sidehook/sidehook/rules"
)

// ignoringWatcher watches nothing.
type ignoringWatcher struct{}

func (ignoringWatcher) Begin(_, _ []byte) func(rules.Exchange) { return nil }

// newRoundTrip returns a function that sends request, over one connection, and reads
// the app's response. Neither the participant nor the app allocates.
func newRoundTrip(t testing.TB, watcher Watcher, request, response string) func() {
	requestBytes, responseBytes := []byte(request), []byte(response)
	app := startApp(t, func(w *testConn) {
		buf := make([]byte, len(request))
		for {
			if _, err := io.ReadFull(w.TCPConn, buf); err != nil {
				return
			}
			if _, err := w.Write(responseBytes); err != nil {
				return
			}
		}
	})
	p := startProxy(t, app, func(c *Config) { c.Watcher = watcher })
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	buf := make([]byte, len(response))
	return func() {
		conn.Write(requestBytes)
		if _, err := io.ReadFull(conn, buf); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUnwatchedExchangeDoesNotAllocate(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("system calls that allocate nothing exist for amd64 and arm64 only (socket_linux.go)")
	}
	f := func(name, request, response string, budget float64) {
		t.Run(name, func(t *testing.T) {
			roundTrip := newRoundTrip(t, ignoringWatcher{}, request, response)
			for range 100 { // fill the pools
				roundTrip()
			}
			if got := testing.AllocsPerRun(500, roundTrip); got > budget {
				t.Errorf("%v allocations per exchange, want at most %v", got, budget)
			}
		})
	}
	const get = "GET /api?x HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nCookie: a=b\r\n\r\n"
	f("small", get, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nabcde", 0)
	f("large", get, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"+pattern(300000), 0)
	f("chunked", get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", 0)
	f("large upload", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n"+pattern(300000), "HTTP/1.1 204 No Content\r\n\r\n", 8) // the second goroutine and its deadlines
	f("upload", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde", "HTTP/1.1 204 No Content\r\n\r\n", 1)                       // fasthttp's own, as it discards the unread body
}

func TestWatchedBodyIsCopiedOnce(t *testing.T) {
	const size, rounds = 300000, 200
	roundTrip := newRoundTrip(t, watcherFunc(func(string, string) func(rules.Exchange) { return func(rules.Exchange) {} }),
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, pattern(size)))
	for range 20 {
		roundTrip()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		roundTrip()
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / rounds; got > size*11/10 {
		t.Errorf("%d bytes were allocated for a body of %d", got, size)
	}
}

func BenchmarkExchange(b *testing.B) {
	f := func(name string, size int) {
		b.Run(name, func(b *testing.B) {
			body := pattern(size)
			roundTrip := newRoundTrip(b, ignoringWatcher{}, "GET /api?x HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nCookie: a=b\r\n\r\n",
				"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "+strconv.Itoa(size)+"\r\n\r\n"+body)
			b.ReportAllocs()
			for b.Loop() {
				roundTrip()
			}
		})
	}
	f("2KB", 2<<10)
	f("256KB", 256<<10)
}
