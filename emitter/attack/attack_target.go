package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/emitter/rig"
)

// poison is a number that parsers of receivers fail on.
var poison = `{"n":` + strings.Repeat("9", 5000) + `}`

// targetAttacks make a target fail, by what a participant says or by itself.
func targetAttacks() []attack {
	const fewAttempts = "{schedule: [200ms, 200ms], jitter: 0}"
	return []attack{
		{name: "poisoned-bodies", setup: setup{retry: fewAttempts, respond: failOnPoison}, play: func(b *battle) error {
			b.leavePages(b.pick(150, 10_000), []byte(poison))
			return nil
		}},
		{name: "poisoned-headers", setup: setup{retry: fewAttempts, respond: failOnLongHeader}, play: func(b *battle) error {
			b.leavePages(b.pick(100, 2000), []byte(`{"text":"x"}`), "Traceparent", strings.Repeat("0", 30_000))
			return nil
		}},
		// The store is large enough that the attackers' own deliveries do not fill the
		// shares of the two targets; many-ids-fill-store shows what happens then.
		{name: "dead-and-hung-targets", setup: setup{size: 512, hasCRM: true, hasHung: true}, play: func(b *battle) error {
			b.leavePages(b.pick(150, 5000), filler(2000))
			return nil
		}},
		{name: "unsolicited-responses", setup: setup{respond: repeatBody}, play: func(b *battle) error {
			b.leavePages(b.pick(20, 200), filler(100))
			b.sleep(500 * time.Millisecond)
			return nil
		}},
	}
}

// leavePages makes n participants leave the first page.
func (b *battle) leavePages(n int, answer []byte, headers ...string) {
	client := newClient(b.side.participants, floodConns, attackerPatience)
	inParallel(floodConns, n, func(i int) {
		if b.ctx.Err() == nil {
			b.leavePage(client, fmt.Sprint(navigator, i), answer, headers...)
		}
	})
}

// failOnPoison responds 500 as a receiver does whose parser fails.
func failOnPoison(_ *receiver, ctx *fasthttp.RequestCtx) bool {
	isPoisoned := bytes.Contains(ctx.Request.Body(), []byte(poison[5:200]))
	if isPoisoned {
		ctx.SetStatusCode(http.StatusInternalServerError)
	}
	return isPoisoned
}

// failOnLongHeader ends the connection as a receiver does whose limit is 16 KiB.
func failOnLongHeader(_ *receiver, ctx *fasthttp.RequestCtx) bool {
	isTooLong := len(ctx.Request.Header.Peek("Traceparent")) > 16<<10
	if isTooLong {
		hangUp(ctx)
	}
	return isTooLong
}

// repeatBody responds 204 and, a moment later, sends the body back as a response
// that nobody waits for.
func repeatBody(r *receiver, ctx *fasthttp.RequestCtx) bool {
	body := bytes.Clone(ctx.Request.Body())
	r.ledger.arrive(body, rig.IsSigned(&ctx.Request, secret))
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(conn net.Conn) {
		fmt.Fprint(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		time.Sleep(50 * time.Millisecond)
		_, _ = conn.Write(body)
	})
	return true
}
