package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// largeAnswer is just below what the app accepts, in bytes.
const largeAnswer = 1_000_000

// memoryAttacks fill the memory with what waits: answers for a survey that nobody
// names, and bodies for their end.
func memoryAttacks() []attack {
	return []attack{
		{name: "unnamed-survey", play: func(b *battle) error {
			b.flood(1, b.pick(60, 199), func(i int) request { return answer("madeup", fmt.Sprint("item", i), largeAnswer) })
			return nil
		}},
		{name: "unnamed-survey-many-ids", play: func(b *battle) error {
			b.flood(4, b.pick(80, 800), func(i int) request {
				return answer(fmt.Sprint("madeup", i%20), fmt.Sprint("item", i), largeAnswer)
			})
			return nil
		}},
		{name: "unnamed-survey-alternating", play: func(b *battle) error {
			b.flood(2, b.pick(100, 400), func(i int) request {
				return answer("madeup", fmt.Sprint("item", i/2), []int{20, largeAnswer}[i%2])
			})
			return nil
		}},
		{name: "unfinished-bodies", play: func(b *battle) error { return b.uploadUnfinished(b.pick(200, 400), 0) }},
		{name: "slow-uploads", play: func(b *battle) error { return b.uploadUnfinished(b.pick(200, 400), 20*time.Millisecond) }},
		{name: "gzip-bombs", play: func(b *battle) error {
			bomb := request{method: http.MethodPost, body: gzipBomb(100 << 20), headers: []string{"Content-Encoding", "gzip"}}
			b.flood(16, b.pick(50, 400), func(i int) request {
				one := bomb
				one.path = logPath(fmt.Sprint(discarded, i), "item", componentResults)
				return one
			})
			return nil
		}},
		{name: "slow-readers", play: func(b *battle) error {
			b.hoard(0, 0)
			inParallel(32, b.pick(100, 1000), func(int) { b.requestUnread(200) })
			return nil
		}},
		{name: "leftovers-at-start", play: leaveLeftovers(false)},
		{name: "leftovers-after-kill", play: leaveLeftovers(true)},
	}
}

// leaveLeftovers sends answers that wait for ever, then restarts the process.
func leaveLeftovers(isKill bool) func(*battle) error {
	return func(b *battle) error {
		b.flood(128, b.pick(12_000, 20_000), func(i int) request { return answer(fmt.Sprint("madeup", i), "item", 60) })
		return b.restart(isKill, func() error { return nil })
	}
}

// uploadUnfinished sends all but the end of answers, in pieces with pauses, and
// keeps the connections open.
func (b *battle) uploadUnfinished(conns int, pause time.Duration) error {
	const pieces = 16
	body := filler(largeAnswer)
	inParallel(conns, conns, func(i int) {
		conn, err := b.dial(b.side.participants)
		if err != nil {
			return // it refuses more, or has ended
		}
		b.hold(conn)
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: survey\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
			logPath(fmt.Sprint("madeup", i), "item", componentResults), len(body))
		b.write(conn, []byte(head))
		for piece := range pieces {
			from, to := len(body)*piece/pieces, len(body)*(piece+1)/pieces
			b.write(conn, body[from:min(to, len(body)-2)])
			b.sleep(pause)
		}
	})
	return nil
}

// write writes to a connection that may have been closed.
func (b *battle) write(conn net.Conn, data []byte) {
	n, _ := conn.Write(data)
	b.sent.Add(int64(n))
}

// gzipBomb is a JSON object of size bytes, compressed.
func gzipBomb(size int) []byte {
	var bomb bytes.Buffer
	w, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	_, _ = w.Write([]byte(`{"text":"`))
	for piece := bytes.Repeat([]byte("x"), 1<<20); size > 0; size -= len(piece) {
		_, _ = w.Write(piece)
	}
	_, _ = w.Write([]byte(`"}`))
	_ = w.Close()
	return bomb.Bytes()
}

// requestUnread makes n requests at once and reads no response.
func (b *battle) requestUnread(n int) {
	conn, err := b.dial(b.side.participants)
	if err != nil {
		return // it refuses more, or has ended
	}
	b.hold(conn)
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // it reads no more requests than it can respond to
	b.write(conn, []byte(strings.Repeat("GET "+progressPath(navigator)+" HTTP/1.1\r\nHost: survey\r\n\r\n", n)))
}
