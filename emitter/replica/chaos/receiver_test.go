package chaos

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/emitter/rig"
)

const (
	// secret signs every webhook here.
	secret = "a secret for chaos"
	// refusesEach is how often the receiver refuses a webhook, so that some are sent again.
	refusesEach = 50
)

// receiver enters every webhook in the ledger.
type receiver struct {
	*rig.Server
	ledger   *ledger
	attempts atomic.Int64
}

func newReceiver(l *ledger) (r *receiver, err error) {
	r = &receiver{ledger: l}
	r.Server, err = rig.NewServer(r.serve)
	return r, err
}

func (r *receiver) serve(ctx *fasthttp.RequestCtx) {
	if !rig.IsSigned(&ctx.Request, secret) {
		r.ledger.count(&r.ledger.unsigned)
	}
	if r.attempts.Add(1)%refusesEach == 0 {
		r.ledger.count(&r.ledger.refused)
		ctx.SetStatusCode(http.StatusServiceUnavailable)
		return
	}
	r.ledger.arrived(read(string(ctx.Request.Header.Peek("webhook-id")), ctx.Request.Body()))
	ctx.SetStatusCode(http.StatusNoContent)
}

// read reads a webhook of format standard.
func read(id string, body []byte) webhook {
	data := gjson.GetBytes(body, "data")
	w := webhook{
		at: time.Now(), id: id, body: string(body), answers: map[string]string{},
		participant: data.Get("participant.id").String(), from: data.Get("from.id").String(), to: data.Get("to.id").String(),
		isRecovered: data.Get("recovered").Bool(), isPartial: data.Get("partial").Bool(),
	}
	data.Get("responses").ForEach(func(_, response gjson.Result) bool {
		if response.Get("state").String() == "answered" {
			w.answers[response.Get("item").String()] = response.Get("response.text").String()
		}
		return true
	})
	return w
}
