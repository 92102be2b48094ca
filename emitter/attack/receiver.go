package main

import (
	"bytes"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/emitter/rig"
)

// secret signs every webhook here.
const secret = "a secret for attacks"

// reaction responds to a webhook in a hostile way; it returns false to leave it alone.
type reaction func(*receiver, *fasthttp.RequestCtx) bool

// receiver is a target that enters honest events in its ledger.
type receiver struct {
	*rig.Server
	ledger *ledger
	// isDown makes it close connections without a response.
	isDown atomic.Bool
	// damaged counts bodies whose signature is valid and whose JSON is not what was recorded.
	damaged atomic.Int64
	respond reaction
}

func newReceiver(l *ledger, respond reaction) (r *receiver, err error) {
	r = &receiver{ledger: l, respond: respond}
	r.Server, err = rig.NewServer(r.serve)
	return r, err
}

func (r *receiver) serve(ctx *fasthttp.RequestCtx) {
	switch {
	case r.isDown.Load():
		hangUp(ctx)
	case r.respond != nil && r.respond(r, ctx):
	default:
		body := ctx.Request.Body()
		if bytes.Contains(body, []byte(flippedMarker)) {
			r.damaged.Add(1)
		}
		r.ledger.arrive(body, rig.IsSigned(&ctx.Request, secret))
		ctx.SetStatusCode(http.StatusNoContent)
	}
}

// hangUp closes the connection without a response.
func hangUp(ctx *fasthttp.RequestCtx) {
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(net.Conn) {})
}
