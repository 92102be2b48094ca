package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/valyala/fasthttp"
)

// slowness is the response time of a slow target.
const slowness = time.Second

// server serves HTTP on loopback until close.
type server struct {
	address string
	http    *fasthttp.Server
}

func newServer(handler fasthttp.RequestHandler) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	s := &server{listener.Addr().String(), &fasthttp.Server{Handler: handler, NoDefaultServerHeader: true, MaxRequestBodySize: 64 << 20, CloseOnShutdown: true}}
	go func() { _ = s.http.Serve(listener) }() // until close
	return s, nil
}

func (s *server) url() string { return "http://" + s.address }

func (s *server) close() { _ = s.http.Shutdown() }

// newReceiver serves a target that verifies each webhook and enters it in the ledger.
func newReceiver(l *ledger) (*server, error) {
	return newServer(func(ctx *fasthttp.RequestCtx) {
		at := time.Now()
		l.arrive(string(ctx.Request.Header.Peek("webhook-id")), ctx.Request.Body(), isSigned(&ctx.Request), at)
		ctx.SetStatusCode(http.StatusNoContent)
	})
}

// isSigned reports whether a webhook has its Standard Webhooks signature.
func isSigned(r *fasthttp.Request) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s.", r.Header.Peek("webhook-id"), r.Header.Peek("webhook-timestamp"))
	mac.Write(r.Body())
	return string(r.Header.Peek("webhook-signature")) == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// troubled are targets in trouble: one that never responds, one that fails and
// one that is slow.
type troubled struct {
	urls    map[string]string
	servers []*server
	ended   chan struct{}
}

func newTroubled() (*troubled, error) {
	t := &troubled{urls: map[string]string{}, ended: make(chan struct{})}
	for name, handler := range map[string]fasthttp.RequestHandler{
		"hung":    func(*fasthttp.RequestCtx) { <-t.ended },
		"failing": func(ctx *fasthttp.RequestCtx) { ctx.SetStatusCode(http.StatusInternalServerError) },
		"slow":    func(*fasthttp.RequestCtx) { time.Sleep(slowness) },
	} {
		s, err := newServer(handler)
		if err != nil {
			t.close()
			return nil, err
		}
		t.urls[name] = s.url()
		t.servers = append(t.servers, s)
	}
	return t, nil
}

func (t *troubled) close() {
	close(t.ended)
	for _, s := range t.servers {
		s.close()
	}
}
