package proxy

import (
	"net"
	"time"
)

// relaySwitch relays the app's consent to another protocol, and what it has
// said in it already.
func (r *response) relaySwitch(raw []byte) error {
	r.toClient.Write(raw)
	r.watch.beginResponse(&r.head, 0)
	r.completeWatch()
	early, _ := r.fromApp.Peek(r.fromApp.Buffered())
	r.toClient.Write(early)
	if r.toClient.Flush() != nil {
		return errLeft
	}
	r.state.advance(responseSwitched)
	return nil
}

// handOver makes a tunnel of the two connections once fasthttp has let go of
// the participant's.
func (e *exchange) handOver() {
	p, client, app := e.proxy, e.client, e.app
	app.SetReadDeadline(time.Time{})
	client.detached = true
	e.ctx.HijackSetNoResponse(true)
	e.ctx.Hijack(func(early net.Conn) { p.tunnel(early, client, app) })
}
