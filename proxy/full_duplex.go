package proxy

import "time"

// beforeWait is called when the rest of the request's body is not here yet: the
// app gets what is here, and its response is relayed as soon as it comes.
func (e *exchange) beforeWait() {
	e.upload.flush()
	if e.relayed == nil {
		e.relayed = make(chan struct{})
		e.response.isFullDuplex = true
		e.app.SetReadDeadline(time.Time{})
		go e.relayConcurrently()
	}
	e.upload.limitSilence()
}

// relayConcurrently relays the response while the request is still being sent.
func (e *exchange) relayConcurrently() {
	defer close(e.relayed)
	defer func() {
		if e.proxy.recovered(recover(), "relaying a response") {
			e.response.breakOff()
			e.app.Close()
			e.client.Close()
		}
	}()
	e.relay()
	if !e.upload.state.load().isRead() {
		e.awaitAppClose()
	}
}

// awaitAppClose waits while an upload goes on that has its response already. The
// app decides for how long. Once it is gone, the participant sees a
// half-close, and the rest of the upload is read and dropped: a full close could
// destroy the response before it was read.
func (e *exchange) awaitAppClose() {
	appStays := e.response.state.load() == responseComplete && !e.app.awaitEnd()
	if appStays || e.upload.state.load().isRead() {
		return
	}
	e.response.closing = true
	e.upload.appGone()
}

// awaitRelaying waits until the other goroutine has relayed the response.
func (e *exchange) awaitRelaying() {
	if e.upload.state.load().isRead() && !e.response.state.load().isOver() {
		e.disconnect.startWatching()
	}
	<-e.relayed
	if !e.upload.state.load().isRead() {
		e.response.closing = true
	}
}
