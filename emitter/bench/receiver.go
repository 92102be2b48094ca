package main

import (
	"net/http"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/emitter/rig"
)

// slowness is the response time of a slow target.
const slowness = time.Second

// newReceiver serves a target that verifies each webhook and enters it in the ledger.
func newReceiver(l *ledger) (*rig.Server, error) {
	return rig.NewServer(func(ctx *fasthttp.RequestCtx) {
		at := time.Now()
		l.arrive(string(ctx.Request.Header.Peek("webhook-id")), ctx.Request.Body(), rig.IsSigned(&ctx.Request, secret), at)
		ctx.SetStatusCode(http.StatusNoContent)
	})
}

// troubled are targets in trouble: one that never responds, one that fails and
// one that is slow.
type troubled struct {
	urls    map[string]string
	servers []*rig.Server
	ended   chan struct{}
}

func newTroubled() (*troubled, error) {
	t := &troubled{urls: map[string]string{}, ended: make(chan struct{})}
	for name, handler := range map[string]fasthttp.RequestHandler{
		"hung":    func(*fasthttp.RequestCtx) { <-t.ended },
		"failing": func(ctx *fasthttp.RequestCtx) { ctx.SetStatusCode(http.StatusInternalServerError) },
		"slow":    func(*fasthttp.RequestCtx) { time.Sleep(slowness) },
	} {
		s, err := rig.NewServer(handler)
		if err != nil {
			t.close()
			return nil, err
		}
		t.urls[name] = s.URL()
		t.servers = append(t.servers, s)
	}
	return t, nil
}

func (t *troubled) close() {
	close(t.ended)
	for _, s := range t.servers {
		s.Close()
	}
}
