package proxy

import (
	"net"
	"time"
)

// relaySwitch relays a 101 response (RFC 9110 section 15.2.2), and what the app
// has sent in the new protocol already.
func (r *response) relaySwitch(raw []byte) error {
	r.head.writeSwitch(r.toClient, raw)
	r.watch.beginResponse(&r.head, raw, 0)
	r.completeWatch()
	early, _ := r.fromApp.Peek(r.fromApp.Buffered())
	r.toClient.Write(early)
	if r.toClient.Flush() != nil {
		return errLeft
	}
	r.state.advance(responseSwitched)
	return nil
}

// handOver lets a tunnel take over both connections, once fasthttp has released
// the participant's.
func (e *exchange) handOver() {
	p, client, app := e.proxy, e.client, e.app
	app.SetReadDeadline(time.Time{})
	client.detached = true
	e.ctx.HijackSetNoResponse(true)
	e.ctx.Hijack(func(early net.Conn) { p.tunnel(early, client, app) })
}
