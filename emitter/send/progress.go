package send

import (
	"net/http/httptrace"
	"sync/atomic"
)

// The phases of an attempt, in their order.
const (
	connecting phase = iota
	handshaking
	sending
	waiting
	answering
)

// phase is how far an attempt has come.
type phase int32

// progress watches one request on its way. Its hooks may be called from other
// goroutines, even after the request is over.
type progress struct {
	reached atomic.Int32
	reused  atomic.Bool
}

func (p phase) String() string {
	return [...]string{"connecting", "in tls handshake", "sending", "waiting", "answering"}[p]
}

// diedIdle tells whether the request went to a connection from before, which
// gave not one byte of a response: it had most likely ended while it was idle.
func (p *progress) diedIdle() bool { return p.reused.Load() && p.phase() < answering }

func (p *progress) phase() phase { return phase(p.reached.Load()) }

// trace is what the transport is to call.
func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		TLSHandshakeStart:    func() { p.advance(handshaking) },
		GotConn:              func(info httptrace.GotConnInfo) { p.reused.Store(info.Reused); p.advance(sending) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { p.advance(waiting) },
		GotFirstResponseByte: func() { p.advance(answering) },
	}
}

// advance never goes back: the transport may still be dialling a connection
// for a request that has meanwhile been given another one.
func (p *progress) advance(to phase) {
	for {
		reached := p.reached.Load()
		if reached >= int32(to) || p.reached.CompareAndSwap(reached, int32(to)) {
			return
		}
	}
}
