package send

import (
	"net/http/httptrace"
	"sync/atomic"
)

// phase is how far an attempt has come.
type phase int32

// The phases of an attempt, in order.
const (
	connecting phase = iota
	handshaking
	sending
	waiting
	receiving
)

// String returns the phase's name in reasons ("timeout waiting").
func (p phase) String() string {
	return [...]string{"connecting", "in tls handshake", "sending", "waiting", "receiving"}[p]
}

// phaseTracker follows one request through its phases. The transport may call its
// hooks from other goroutines, even after the request is over.
type phaseTracker struct {
	current atomic.Int32
	reused  atomic.Bool
	// conn is the connection, where it keeps the status.
	conn atomic.Pointer[statusConn]
}

// diedIdle reports whether the request went out on a kept connection that
// returned not one byte: it had most likely been closed while idle.
func (t *phaseTracker) diedIdle() bool { return t.reused.Load() && t.phase() < receiving }

func (t *phaseTracker) phase() phase { return phase(t.current.Load()) }

// trace returns the hooks for the transport.
func (t *phaseTracker) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		TLSHandshakeStart:    func() { t.advance(handshaking) },
		GotConn:              t.gotConn,
		WroteRequest:         func(httptrace.WroteRequestInfo) { t.advance(waiting) },
		GotFirstResponseByte: func() { t.advance(receiving) },
	}
}

func (t *phaseTracker) gotConn(info httptrace.GotConnInfo) {
	t.reused.Store(info.Reused)
	if conn, ok := info.Conn.(*statusConn); ok {
		conn.begin()
		t.conn.Store(conn)
	}
	t.advance(sending)
}

// status returns the status of a response that could not be read, 0 if its line has
// not come, or the connection does not keep it.
func (t *phaseTracker) status() int {
	if conn := t.conn.Load(); conn != nil {
		return conn.read()
	}
	return 0
}

// advance never goes back: the transport may still be dialling a connection
// for a request that was meanwhile given another one.
func (t *phaseTracker) advance(to phase) {
	for {
		current := t.current.Load()
		if current >= int32(to) || t.current.CompareAndSwap(current, int32(to)) {
			return
		}
	}
}
