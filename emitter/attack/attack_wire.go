package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// wireAttacks bend HTTP.
func wireAttacks() []attack {
	return []attack{
		{name: "malformed-chunks", check: checkConnections, play: func(b *battle) error {
			inParallel(16, b.pick(100, 1500), func(int) { b.breakChunk() })
			return nil
		}},
		{name: "hidden-steps", play: func(b *battle) error {
			b.hideSteps(b.pick(3, 20), []byte("?"), "Content-Encoding", "x")
			b.hideSteps(b.pick(3, 20), filler(2<<20))
			return nil
		}},
	}
}

// breakChunk sends a chunk that is longer than its size, then more, and leaves.
func (b *battle) breakChunk() {
	conn, err := b.dial(b.side.participants)
	if err != nil {
		return
	}
	defer conn.Close()
	// The app's connection is kept for the next request.
	b.write(conn, []byte("GET /version HTTP/1.1\r\nHost: x\r\n\r\n"))
	if !readResponse(conn) {
		return
	}
	head := "POST " + logPath("madeup", "item", "kind") + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	b.write(conn, []byte(head+"3\r\nabcdefgh\r\n0\r\n\r\n"))
	time.Sleep(12 * time.Millisecond)
	b.write(conn, []byte("more"))
}

func readResponse(conn net.Conn) bool {
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil
}

// checkConnections waits until the connections of attackers who have left are closed.
func checkConnections(b *battle) {
	honest := float64(b.walkers)
	for until := time.Now().Add(b.catchUp); time.Now().Before(until); b.sleep(100 * time.Millisecond) {
		if b.side.metric("sidehook_connections") <= honest {
			return
		}
	}
	b.miss("%.0f connections are open, and %.0f participants connected", b.side.metric("sidehook_connections"), honest)
}

// hideSteps lets participants navigate with bodies that a navigation does not have.
// The app moves on, so there must be events.
func (b *battle) hideSteps(n int, body []byte, headers ...string) {
	hidden := newCrowd(b.sizes, b.app, b.side.participants, b.crowd.ledgers...)
	hidden.disguise = disguise{body, headers}
	for range n {
		if b.ctx.Err() == nil {
			hidden.takeSurvey()
		}
	}
	if n, first := hidden.failures(); n > 0 {
		b.miss("%d hidden steps failed, the first with: %s", n, strings.TrimSpace(first))
	}
}
