package proxy

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// lastHead ends a conversation.
const lastHead = "END / HTTP/1.1\r\n\r\n"

// stage is where conversations are played.
type stage struct {
	t     testing.TB
	app   *scriptedApp
	proxy *Proxy
	turn  atomic.Pointer[turn]
	heard chan rules.Exchange
	mu    sync.Mutex
	conns map[*wire]bool // of the app
	ended atomic.Int64   // how many of the app's connections have
}

func newStage(t testing.TB) *stage {
	s := &stage{t: t, heard: make(chan rules.Exchange, 1), conns: map[*wire]bool{}}
	s.app = startApp(t, s.serve)
	s.proxy = startProxy(t, s.app, func(c *Config) {
		c.Watcher = watcher(func(string, string) func(rules.Exchange) {
			if !s.turn.Load().watched {
				return nil
			}
			return func(x rules.Exchange) { s.heard <- x }
		})
	})
	return s
}

// play plays a conversation over one connection, and tells what both sides got.
func (s *stage) play(conversation []*talk, through bool) (got []transcript) {
	var w *wire
	var turns []*turn
	for _, k := range conversation {
		now := &turn{talk: k, through: through, whole: make(chan bool, 9), gone: make(chan bool)}
		now.atApp.Store(-1)
		now.atClient.Store(-1)
		s.turn.Store(now)
		turns = append(turns, now)
		if w == nil {
			w = s.dial(through)
		}
		if !now.participate(w) {
			w.Close()
			w = nil
		}
		if k.watched {
			s.hear(now)
		}
	}
	if w != nil {
		w.Close()
	}
	soon(s.t, "nobody is connected", func() bool { return s.proxy.Stats().Connections == 0 })
	s.endApp()
	for _, now := range turns {
		got = append(got, now.transcript)
	}
	return got
}

// hear takes what the Watcher has heard of a talk, or what it should hear,
// where its bodies could be had.
func (s *stage) hear(now *turn) {
	var x rules.Exchange
	if now.through && !now.isStub() {
		x = receive(s.t, "exchange of "+now.String(), s.heard)
	}
	for _, line := range append(now.request.fields, now.answer.fields...) {
		if now.fate != goesWell || strings.HasPrefix(line, "Content-Encoding:") {
			return
		}
	}
	if now.transcript.Heard = [2]string{string(x.RequestBody), string(x.ResponseBody)}; !now.through {
		now.transcript.Heard = [2]string{strings.Join(now.request.pieces, ""), strings.Join(now.answer.pieces, "")}
	}
}

func (s *stage) dial(through bool) *wire {
	address := s.app.Addr().String()
	if through {
		address = s.proxy.Addr().String()
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	return newWire(s.t, conn)
}

// endApp lets the app read what is there, and waits until it has.
func (s *stage) endApp() {
	last := s.dial(false) // when it is served, all before it have been accepted
	last.send(lastHead)
	last.take(1)
	last.Close()
	soon(s.t, "the app has read all", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for w := range s.conns {
			w.CloseRead()
		}
		return s.ended.Load() == s.app.conns.Load()
	})
}

// serve is the app.
func (s *stage) serve(w *wire) {
	defer s.ended.Add(1)
	s.mu.Lock()
	s.conns[w] = true
	s.mu.Unlock()
	for s.serveOne(w) {
	}
	w.Close()
	s.mu.Lock()
	delete(s.conns, w)
	s.mu.Unlock()
}

func (s *stage) serveOne(w *wire) bool {
	head, end := w.readHead()
	if head == "" {
		return false
	}
	if head == lastHead {
		w.send("x")
		return false
	}
	now, r := s.turn.Load(), record{Head: head, End: end}
	kept := end == "" && now.take(w, &r)
	now.mu.Lock()
	defer now.mu.Unlock()
	now.transcript.App = append(now.transcript.App, r)
	return kept
}

// soon is eventually for what happens often.
func soon(t testing.TB, what string, f func() bool) {
	for deadline := time.Now().Add(patience); !f(); time.Sleep(20 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Errorf("it does not become true that %s", what)
			return
		}
	}
}
