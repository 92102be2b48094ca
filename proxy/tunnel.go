package proxy

import (
	"errors"
	"io"
	"net"
	"sync"
)

// tunnelBuffer is how many bytes are passed at once, at most.
const tunnelBuffer = 32 << 10

// tunnelBuffers are for reuse: a tunnel holds one only while something passes.
var tunnelBuffers = sync.Pool{New: func() any { return new([tunnelBuffer]byte) }}

// tunnelEnd is one of the two connections of a tunnel.
type tunnelEnd interface {
	net.Conn
	CloseWrite() error
	// await waits until there is something to read, or the end.
	await() error
	// send writes, and does not wait for ever.
	send(p []byte) (int, error)
}

// tunnel passes bytes both ways until both sides have ended. Early has what
// the participant sent before the app had switched.
func (p *Proxy) tunnel(early io.Reader, client *clientConn, app *appConn) {
	defer p.clients.remove(client)
	p.counters.tunnels.Add(1)
	defer p.counters.tunnels.Add(-1)
	defer client.Close()
	defer p.pool.drop(app)
	client.writeDeadline.forget() // fasthttp has lifted the deadline
	var both sync.WaitGroup
	both.Go(func() { p.passOn(app, client, func() error { return drain(early, client, app) }) })
	p.passOn(client, app, func() error { return nil })
	both.Wait()
}

// passOn passes bytes one way, after what comes first, and then their end.
// When that breaks, the other way goes, too.
func (p *Proxy) passOn(to, from tunnelEnd, first func() error) {
	whole := false
	defer func() {
		if p.recovered(recover(), "tunnelling") || !whole {
			to.Close()
			from.Close()
		}
	}()
	whole = first() == nil && pass(to, from) == nil && to.CloseWrite() == nil
}

// drain passes what fasthttp has read of the participant's bytes, and then
// makes client itself readable.
func drain(early io.Reader, client *clientConn, app *appConn) error {
	_, err := io.Copy(sender{app}, early)
	if client.detached = false; errors.Is(err, errDetached) {
		err = nil
	}
	return err
}

// pass passes bytes one way until their end.
func pass(to, from tunnelEnd) error {
	for {
		if err := from.await(); err != nil {
			return err
		}
		if err := passPiece(to, from); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		}
	}
}

// passPiece passes what is there.
func passPiece(to, from tunnelEnd) error {
	buf := tunnelBuffers.Get().(*[tunnelBuffer]byte)
	defer tunnelBuffers.Put(buf)
	n, err := from.Read(buf[:])
	if n > 0 {
		if _, err := to.send(buf[:n]); err != nil {
			return err
		}
	}
	return err
}

// sender makes an io.Writer of a tunnelEnd.
type sender struct{ tunnelEnd }

func (s sender) Write(p []byte) (int, error) { return s.send(p) }
