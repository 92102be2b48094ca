package proxy

import (
	"sync/atomic"
	"time"
)

// disconnect notices that a participant leaves before the response has passed,
// and lets the app see it. It watches the connection while the app takes its
// time; the participant's goroutine starts and stops that. A write that fails
// shows it, too.
type disconnect struct {
	*parties
	seen    atomic.Bool
	stopped chan struct{} // closed when the watch has ended; nil without one
}

// startWatching watches for the participant leaving, in a goroutine of its own.
func (d *disconnect) startWatching() {
	d.client.SetReadDeadline(time.Time{})
	d.stopped = make(chan struct{})
	go func() {
		defer close(d.stopped)
		if d.client.socket.awaitEnd() {
			d.propagate()
		}
	}()
}

func (d *disconnect) isWatched() bool { return d.stopped != nil }

// stopWatching ends the watch, if there is one, and waits for it.
func (d *disconnect) stopWatching() {
	if d.stopped == nil {
		return
	}
	d.client.interrupt()
	<-d.stopped
	d.stopped = nil
}

// propagate lets the app see what it would see without a proxy, a half-close. A
// watched request is not disturbed, because it counts even if nobody waits for
// the response.
func (d *disconnect) propagate() {
	d.seen.Store(true)
	if d.watch == nil {
		d.app.CloseWrite()
	}
	d.limitRest()
}

// limitRest limits the rest of a response that nobody waits for.
func (d *disconnect) limitRest() {
	if d.seen.Load() {
		d.app.SetReadDeadline(time.Now().Add(abandonedTimeout))
	}
}
