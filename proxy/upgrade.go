package proxy

import (
	"io"
	"net"
	"sync"
	"time"
)

// relaySwitch relays the app's consent to another protocol, and what it has
// said in it already.
func (e *exchange) relaySwitch(raw []byte) error {
	e.toClient.Write(raw)
	e.watch.answering(&e.answer.header, e.answer.codings)
	e.watch.complete(&e.answer.header)
	early, _ := e.fromApp.Peek(e.fromApp.Buffered())
	e.toClient.Write(early)
	e.answered, e.switching = true, true
	return e.toClient.Flush()
}

// handOver makes a tunnel of the two connections once fasthttp has let go of
// the participant's.
func (e *exchange) handOver() {
	p, client, app := e.proxy, e.client, e.app
	app.SetDeadline(time.Time{})
	e.ctx.HijackSetNoResponse(true)
	e.ctx.Hijack(func(conn net.Conn) { p.tunnel(conn, client, app) })
}

// tunnel passes bytes both ways until both sides have ended. Buffered has what
// the participant sent early, and then the rest.
func (p *Proxy) tunnel(buffered io.Reader, client *clientConn, app *appConn) {
	defer p.clients.remove(client)
	defer p.caught("tunnelling")
	p.counters.tunnels.Add(1)
	defer p.counters.tunnels.Add(-1)
	defer client.Close()
	defer p.pool.drop(app)
	var both sync.WaitGroup
	both.Go(func() { pass(app, buffered, client, app) })
	pass(client, app, client, app)
	both.Wait()
}

// halfCloser is a connection whose sending half can be closed.
type halfCloser interface {
	io.Writer
	CloseWrite() error
}

// pass copies one way, and passes on its end; when it breaks, both connections go.
func pass(to halfCloser, from io.Reader, ends ...io.Closer) {
	_, err := io.Copy(struct{ io.Writer }{to}, from)
	if err == nil {
		err = to.CloseWrite()
	}
	if err != nil {
		for _, end := range ends {
			end.Close()
		}
	}
}
