package proxy

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/rules"
)

// newCapture returns a capture in b that has size bytes.
func newCapture(b *budget, size int) *capture {
	c := &capture{budget: b, limit: 1 << 20}
	c.add(make([]byte, size))
	return c
}

func TestTheLargestCaptureGivesWay(t *testing.T) {
	b := &budget{limit: 1 << 20}
	large, medium := newCapture(b, 600<<10), newCapture(b, 300<<10)
	equal(t, "bytes in use", b.inUse(), 900<<10)
	small := newCapture(b, 200<<10)
	equal(t, "the large one", large.whyLost(), overBudget)
	equal(t, "the medium one", medium.whyLost(), "")
	equal(t, "the small one", small.whyLost(), "")
	equal(t, "bytes in use", b.inUse(), 500<<10)

	tooMuch := newCapture(b, 700<<10)
	equal(t, "one that is larger than all others", tooMuch.whyLost(), overBudget)
	equal(t, "bytes in use", b.inUse(), 500<<10)
	for _, c := range []*capture{large, medium, small, tooMuch} {
		c.release()
	}
	equal(t, "bytes in use", b.inUse(), 0)
}

func TestABodyThatWasHandedOverDoesNotGiveWay(t *testing.T) {
	b := &budget{limit: 1 << 20}
	handedOver := newCapture(b, 600<<10)
	body, why := handedOver.decoded(nil)
	equal(t, "uninspected", why, "")
	equal(t, "a small one", newCapture(b, 500<<10).whyLost(), overBudget)
	equal(t, "the body", len(body), 600<<10)
	equal(t, "bytes in use", b.inUse(), 600<<10)
}

func TestSmallCapturesDoNotGiveWay(t *testing.T) {
	b := &budget{limit: 3 * alwaysKept}
	for range 3 {
		newCapture(b, alwaysKept)
	}
	equal(t, "one more", newCapture(b, 1).whyLost(), overBudget)
}

func TestHalfOfABudgetIsForCapturesAtLeast(t *testing.T) {
	f := func(total, inspectLimit int) {
		t.Helper()
		b := newBudget(total, inspectLimit)
		if b.limit < total/2 || b.limit >= total || cap(b.decoders) < 1 {
			t.Errorf("%d bytes: %d for captures and %d decoders", total, b.limit, cap(b.decoders))
		}
	}
	f(64<<20, 1<<20)
	f(8<<10, 1<<10)
	f(1<<30, 1<<20)
}

// Participants who begin large uploads, and never end them, must not keep others
// from being watched.
func TestUnfinishedUploadsStayInTheBudgetAndKeepNobodyFromBeingWatched(t *testing.T) {
	const uploads, size, total = 40, 256 << 10, 4 << 20
	exchanges := make(chan rules.Exchange, uploads+1)
	app := startApp(t, func(w *testConn) {
		head := w.readHead()
		if strings.HasPrefix(head, "PUT") {
			w.SetDeadline(time.Time{}) // however slow this machine is
			io.Copy(io.Discard, w.TCPConn)
			return
		}
		w.readN(len("an answer"))
		w.send(gzipped("it says"))
	})
	p := startProxy(t, app, func(c *Config) { c.Watcher, c.InspectLimit, c.WatchedBodies = watchAll(exchanges), size, total })
	var clients []*testConn
	upload := fmt.Sprintf("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", size, pattern(size-1))
	for range uploads {
		client := dial(t, p)
		clients = append(clients, client)
		client.send(upload)
		if got := p.Stats().WatchedBodies; got > total {
			t.Fatalf("bodies take %d bytes of %d", got, total)
		}
	}
	eventually(t, "a full budget", func() bool { return p.Stats().WatchedBodies > total/4 })

	honest := dial(t, p)
	response := gzipped("it says")
	honest.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nan answer")
	equal(t, "response", honest.readN(len(response)), response)
	x := receive(t, "exchange", exchanges)
	equal(t, "lacks", x.LacksRequest+x.LacksResponse, "")
	equal(t, "bodies", string(x.RequestBody)+string(x.ResponseBody), "an answerit says")

	for _, client := range clients {
		client.Close()
	}
	for range uploads {
		receive(t, "exchange", exchanges)
	}
	eventually(t, "an empty budget", func() bool { return p.Stats().WatchedBodies == 0 })
}

func gzipped(text string) string {
	body := fasthttp.AppendGzipBytes(nil, []byte(text))
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func TestABodyPastTheBudgetPassesUnreadAndIsCounted(t *testing.T) {
	exchanges := make(chan rules.Exchange, 1)
	body := pattern(100 << 10)
	response := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	p := startProxy(t, startApp(t, respondWith(response)), func(c *Config) {
		c.Watcher, c.WatchedBodies = watchAll(exchanges), 128<<10
	})
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "response", client.readN(len(response)), response)
	equal(t, "exchange", receive(t, "exchange", exchanges), rules.Exchange{Host: "h", Status: 200, LacksResponse: overBudget})
	equal(t, "refused", p.Stats().OverBudget, 1)
	equal(t, "bytes in use", p.Stats().WatchedBodies, 0)
}

// For the race detector.
func TestCapturesGrowAndGiveWayAtTheSameTime(t *testing.T) {
	b := &budget{limit: 1 << 20}
	var running sync.WaitGroup
	for i := range 8 {
		running.Go(func() {
			for n := range 200 {
				c := &capture{budget: b, limit: 1 << 20}
				for range 1 + (n+i)%20 {
					c.add(make([]byte, 20<<10))
				}
				c.decoded(nil)
				c.release()
			}
		})
	}
	running.Wait()
	equal(t, "bytes in use", b.inUse(), 0)
}
