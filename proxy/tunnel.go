package proxy

import (
	"errors"
	"io"
	"net"
	"sync"
)

// tunnelBuffer is the most that is copied at once, in bytes.
const tunnelBuffer = 32 << 10

// tunnelBuffers are shared: an idle tunnel holds none.
var tunnelBuffers = sync.Pool{New: func() any { return new([tunnelBuffer]byte) }}

// tunnelEnd is one of the two connections of a tunnel.
type tunnelEnd interface {
	net.Conn
	CloseWrite() error
	// await blocks until there may be something to read, or the end.
	await() error
	// send writes all of p before its deadline, or fails.
	send(p []byte) (int, error)
}

// tunnel copies bytes both ways until both sides have ended. early reads what
// the participant sent before the app had switched protocols.
func (p *Proxy) tunnel(early io.Reader, client *clientConn, app *appConn) {
	defer p.clients.remove(client)
	p.counters.tunnels.Add(1)
	defer p.counters.tunnels.Add(-1)
	defer client.Close()
	defer p.pool.drop(app)
	client.writeDeadline.forget() // fasthttp has removed the deadline
	var both sync.WaitGroup
	both.Go(func() { p.copyOneWay(app, client, func() error { return copyEarly(app, client, early) }) })
	p.copyOneWay(client, app, func() error { return nil })
	both.Wait()
}

// copyOneWay calls first, copies bytes up to their end, and passes on the end as
// a half-close. A failure closes both connections, and so ends the other way.
func (p *Proxy) copyOneWay(to, from tunnelEnd, first func() error) {
	copied := false
	defer func() {
		if p.recovered(recover(), "tunnelling") || !copied {
			to.Close()
			from.Close()
		}
	}()
	copied = first() == nil && copyToEnd(to, from) == nil && to.CloseWrite() == nil
}

// copyEarly copies what fasthttp has read ahead from the participant. Afterwards
// client itself is to be read.
func copyEarly(app *appConn, client *clientConn, early io.Reader) error {
	_, err := io.Copy(sendWriter{app}, early)
	if client.detached = false; errors.Is(err, errDetached) {
		err = nil
	}
	return err
}

// copyToEnd copies bytes one way up to their end.
func copyToEnd(to, from tunnelEnd) error {
	for {
		if err := from.await(); err != nil {
			return err
		}
		if err := copyAvailable(to, from); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		}
	}
}

// copyAvailable copies what one read returns.
func copyAvailable(to, from tunnelEnd) error {
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

// sendWriter writes through send, and so with its deadline.
type sendWriter struct{ tunnelEnd }

// Write implements io.Writer.
func (w sendWriter) Write(p []byte) (int, error) { return w.send(p) }
