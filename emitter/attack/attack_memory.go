package main

import (
	"fmt"
	"net"
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
		{name: "leftovers-at-start", play: leaveLeftovers(false)},
		{name: "leftovers-after-kill", play: leaveLeftovers(true)},
	}
}

// leaveLeftovers sends answers that wait for ever, then restarts the process.
func leaveLeftovers(isKill bool) func(*battle) error {
	return func(b *battle) error {
		b.flood(32, b.pick(12_000, 20_000), func(i int) request { return answer(fmt.Sprint("madeup", i), "item", 60) })
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
