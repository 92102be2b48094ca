package proxy

import (
	"sync"
	"time"
)

// presence is what is known of the participant while the response passes.
type presence int32

const (
	present     presence = iota
	doneSending          // they send no more; as long as writes succeed they may still read
	gone                 // nobody is there to take the response
)

// String returns the name of the state.
func (p presence) String() string { return [...]string{"present", "done sending", "gone"}[p] }

func (p presence) canBecome(next presence) bool { return next > p }

// disconnect notices that a participant leaves before the response has passed,
// and lets the app see it. It watches the connection while the app takes its
// time; the participant's goroutine starts and stops that. A write that fails
// shows it, too.
type disconnect struct {
	*parties
	noticing sync.Mutex // for state, which two goroutines may advance
	state    progress[presence]
	stopped  chan struct{} // closed when the watch has ended; nil without one
}

// startWatching watches for the participant leaving, in a goroutine of its own.
func (d *disconnect) startWatching() {
	d.client.SetReadDeadline(time.Time{})
	d.stopped = make(chan struct{})
	go func() {
		defer close(d.stopped)
		if !d.client.socket.awaitHalfClose() {
			return
		}
		d.notice(doneSending)
		// Whoever has closed, rather than half-closed, soon resets the connection: at the
		// next write, or when TCP asks whether they are alive.
		if d.client.socket.awaitReset() {
			d.notice(gone)
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

// notice lets the app see what it would see without a proxy, a half-close. A
// watched request is not disturbed, because it counts even if nobody waits for
// the response.
func (d *disconnect) notice(now presence) {
	d.noticing.Lock()
	defer d.noticing.Unlock()
	before := d.state.load()
	if now <= before {
		return
	}
	d.state.advance(now)
	if before == present && d.watch == nil {
		d.app.CloseWrite()
	}
	d.limitRest()
}

// limitRest limits the rest of a response that nobody waits for.
func (d *disconnect) limitRest() {
	if d.state.load() == gone {
		d.app.SetReadDeadline(time.Now().Add(d.proxy.abandoned))
	}
}
