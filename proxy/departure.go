package proxy

import (
	"sync/atomic"
	"time"
)

// departure is how a participant leaves before the response has passed: it is
// noticed while the app takes its time, or when writing fails. The participant's
// goroutine starts and stops the watch.
type departure struct {
	*parties
	left    atomic.Bool
	stopped chan struct{} // closed when the watch has ended; nil without one
}

// startWatching watches for the participant leaving, in a goroutine of its own.
func (d *departure) startWatching() {
	d.client.SetReadDeadline(time.Time{})
	d.stopped = make(chan struct{})
	go func() {
		defer close(d.stopped)
		if d.client.socket.awaitEnd() {
			d.pass()
		}
	}()
}

func (d *departure) isWatched() bool { return d.stopped != nil }

// stopWatching ends the watch, if there is one, and waits for it.
func (d *departure) stopWatching() {
	if d.stopped == nil {
		return
	}
	d.client.interrupt()
	<-d.stopped
	d.stopped = nil
}

// pass passes on that the participant has left, in the way in which the app
// would see it without a proxy: the end of sending remains one. A watched
// request is not disturbed: it counts even if nobody waits for the response.
func (d *departure) pass() {
	d.left.Store(true)
	if d.watch == nil {
		d.app.CloseWrite()
	}
	d.limitRest()
}

// limitRest limits the rest of a response that nobody waits for.
func (d *departure) limitRest() {
	if d.left.Load() {
		d.app.SetReadDeadline(time.Now().Add(abandonedTimeout))
	}
}
