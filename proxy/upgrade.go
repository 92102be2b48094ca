package proxy

import (
	"net"
	"time"
)

// relaySwitch relays a 101 response (RFC 9110 section 15.2.2), and what the app
// has sent in the new protocol already.
func (e *exchange) relaySwitch(raw []byte) error {
	e.toClient.Write(raw)
	e.watch.answering(&e.answer, 0)
	e.tell()
	early, _ := e.fromApp.Peek(e.fromApp.Buffered())
	e.toClient.Write(early)
	e.answered = true
	if e.toClient.Flush() != nil {
		return errLeft
	}
	e.switching = true
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
