package proxy

import (
	"sync/atomic"
	"time"
)

// No read or write blocks without a deadline, except while a response takes its
// time and while a tunnel is idle. The deadlines by connection:
//
//	              read                                      write
//	participant   between requests: Config.IdleTimeout      transferIdleTimeout
//	              within a head: Config.HeaderTimeout
//	              within a body: transferIdleTimeout, or
//	              linger once the app reads no more of it
//	app           watchDelay, then none, while a goroutine  transferIdleTimeout
//	              watches for the participant leaving
//	              before the head: Config.ResponseTimeout
//	              after they left: abandonedTimeout

// epoch is the origin of clock.
var epoch = time.Now()

// clock returns the time since epoch, at half the cost of time.Now.
func clock() time.Duration { return time.Since(epoch) }

// lazyDeadline limits how often a connection's deadline is set, because setting
// it costs as much as parsing a head: it is set for longer than asked for, and
// then left until too little of it remains.
//
// It knows only the deadlines that it returned. Code that sets another deadline on
// the connection must call forget.
type lazyDeadline struct {
	at atomic.Int64 // by clock; 0 when unknown
}

// extend makes sure that at least d remains, and at most half as much again. It
// returns the deadline to set on the connection if it has to be moved.
func (l *lazyDeadline) extend(d time.Duration) (deadline time.Time, moved bool) {
	now := clock()
	if time.Duration(l.at.Load())-now >= d {
		return time.Time{}, false
	}
	at := now + d + d/2
	l.at.Store(int64(at))
	return epoch.Add(at), true
}

// forget makes the next extend return a deadline.
func (l *lazyDeadline) forget() { l.at.Store(0) }
