package proxy

import "time"

// boundHead bounds the wait for the head of the answer.
func (e *exchange) boundHead() {
	if timeout := e.proxy.config.ResponseTimeout; timeout > 0 && !e.headSeen.Load() {
		e.app.SetReadDeadline(time.Now().Add(timeout))
		if e.headSeen.Load() {
			e.unboundHead()
		}
	}
}

// unboundHead lifts the bound: a body may take its time.
func (e *exchange) unboundHead() {
	if e.proxy.config.ResponseTimeout > 0 {
		e.app.SetReadDeadline(time.Time{})
		e.boundLeft(e.app)
	}
}

// boundLeft bounds the rest of an answer that nobody waits for.
func (e *exchange) boundLeft(app *appConn) {
	if e.left.Load() {
		app.SetReadDeadline(time.Now().Add(goneWait))
	}
}
