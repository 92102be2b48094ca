package proxy

import "time"

// look begins to look whether the participant is still there.
func (e *exchange) look() {
	e.client.SetReadDeadline(time.Time{})
	e.looking = make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		if e.client.socket.awaitEnd() {
			e.leave()
		}
	}(e.looking)
}

// stopLooking ends what look began.
func (e *exchange) stopLooking() {
	if e.looking == nil {
		return
	}
	e.client.SetReadDeadline(past)
	<-e.looking
	e.looking = nil
}

// leave passes on that the participant has left, in the way that the app would
// see it without us: what was an end of sending is one, too. A watched request
// is not disturbed: what it did counts, even if nobody waits for the answer.
func (e *exchange) leave() {
	e.left.Store(true)
	if e.watch == nil {
		e.app.CloseWrite()
	}
	e.boundLeft(e.app)
}
