package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// receiver is a target that verifies every webhook and hands it to take.
type receiver struct {
	url    string
	server *fasthttp.Server
	take   func(body []byte, at time.Time)

	mu sync.Mutex
	// received counts webhooks, unsigned those whose signature was wrong; first is when the first came.
	received, unsigned int
	first              time.Time
}

// serve answers on loopback until stop.
func serve(handler fasthttp.RequestHandler) (url string, server *fasthttp.Server, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("cannot listen: %w", err)
	}
	server = &fasthttp.Server{Handler: handler, NoDefaultServerHeader: true, MaxRequestBodySize: 64 << 20, CloseOnShutdown: true}
	go func() { _ = server.Serve(listener) }() // until the listener is closed
	return "http://" + listener.Addr().String(), server, nil
}

// newReceiver starts a receiver; take may be nil, and is called by one at a time.
func newReceiver(take func(body []byte, at time.Time)) (*receiver, error) {
	r := &receiver{take: take}
	var err error
	r.url, r.server, err = serve(r.receive)
	return r, err
}

func (r *receiver) receive(ctx *fasthttp.RequestCtx) {
	at := time.Now()
	isSigned := verify(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.received == 0 {
		r.first = at
	}
	r.received++
	if !isSigned {
		r.unsigned++
	}
	if r.take != nil {
		r.take(ctx.Request.Body(), at)
	}
	ctx.SetStatusCode(http.StatusNoContent)
}

func verify(ctx *fasthttp.RequestCtx) bool {
	header := &ctx.Request.Header
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s.", header.Peek("webhook-id"), header.Peek("webhook-timestamp"))
	mac.Write(ctx.Request.Body())
	return string(header.Peek("webhook-signature")) == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (r *receiver) counts() (received, unsigned int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.received, r.unsigned
}

func (r *receiver) close() { _ = r.server.Shutdown() }
