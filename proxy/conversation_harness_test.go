package proxy

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sidehook/sidehook/rules"
)

// endHead is the head of a request that ends a conversation.
const endHead = "END / HTTP/1.1\r\n\r\n"

// harness runs conversations against an app, directly or through a proxy.
type harness struct {
	t       testing.TB
	app     *scriptedApp
	proxy   *Proxy
	current atomic.Pointer[stepRun]
	watched chan rules.Exchange
	mu      sync.Mutex
	conns   map[*testConn]bool // of the app, open
	ended   atomic.Int64       // how many of them have ended
}

func newHarness(t testing.TB) *harness {
	h := &harness{t: t, watched: make(chan rules.Exchange, 1), conns: map[*testConn]bool{}}
	h.app = startApp(t, h.serve)
	h.proxy = startProxy(t, h.app, func(c *Config) {
		c.Watcher = watcherFunc(func(string, string) func(rules.Exchange) {
			if !h.current.Load().watched {
				return nil
			}
			return func(x rules.Exchange) { h.watched <- x }
		})
	})
	return h
}

// run runs a conversation, and returns what both sides received in each step.
func (h *harness) run(conversation conversation, through bool) (got []transcript) {
	var w *testConn
	var runs []*stepRun
	for _, step := range conversation {
		run := newStepRun(step, through)
		h.current.Store(run)
		runs = append(runs, run)
		if w == nil {
			w = h.dial(through)
		}
		if !run.actAsParticipant(w) {
			w.Close()
			w = nil
		}
		if step.watched {
			h.collectWatched(run)
		}
	}
	if w != nil {
		w.Close()
	}
	eventuallySoon(h.t, "nobody is connected", func() bool { return h.proxy.Stats().Connections == 0 })
	h.drainApp()
	for _, run := range runs {
		got = append(got, run.transcript)
	}
	return got
}

// collectWatched records the bodies that the Watcher got or, without the proxy,
// should get. It ignores exchanges that break off or are compressed.
func (h *harness) collectWatched(run *stepRun) {
	var x rules.Exchange
	if run.through && !run.isIncomplete() {
		x = receive(h.t, "exchange of "+run.String(), h.watched)
	}
	for _, line := range append(run.request.fields, run.response.fields...) {
		if run.outcome != completes || strings.HasPrefix(line, "Content-Encoding:") {
			return
		}
	}
	if run.transcript.Watched = [2]string{string(x.RequestBody), string(x.ResponseBody)}; !run.through {
		run.transcript.Watched = [2]string{strings.Join(run.request.pieces, ""), strings.Join(run.response.pieces, "")}
	}
}

// dial connects a participant to the proxy, or directly to the app.
func (h *harness) dial(through bool) *testConn {
	address := h.app.Addr().String()
	if through {
		address = h.proxy.Addr().String()
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		h.t.Fatal(err)
	}
	return newTestConn(h.t, conn)
}

// drainApp waits until the app has read everything that was sent to it.
func (h *harness) drainApp() {
	last := h.dial(false) // once it is served, all connections before it have been accepted
	last.send(endHead)
	last.readN(1)
	last.Close()
	eventuallySoon(h.t, "the app has read everything", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		for w := range h.conns {
			w.CloseRead()
		}
		return h.ended.Load() == h.app.conns.Load()
	})
}

// serve is the script of the app.
func (h *harness) serve(w *testConn) {
	defer h.ended.Add(1)
	h.mu.Lock()
	h.conns[w] = true
	h.mu.Unlock()
	for h.serveOne(w) {
	}
	w.Close()
	h.mu.Lock()
	delete(h.conns, w)
	h.mu.Unlock()
}

// serveOne serves one request, and reports whether the connection stays open.
func (h *harness) serveOne(w *testConn) bool {
	head, end := w.readHeadOrEnd()
	if head == "" {
		return false
	}
	if head == endHead {
		w.send("x")
		return false
	}
	run, r := h.current.Load(), received{Head: head, End: end}
	kept := end == "" && run.serveRequest(w, &r)
	run.mu.Lock()
	defer run.mu.Unlock()
	run.transcript.App = append(run.transcript.App, r)
	return kept
}
