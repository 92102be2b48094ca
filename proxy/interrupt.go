package proxy

import "time"

// past is a deadline that has passed for every connection.
var past = time.Unix(1, 0)

// interrupt wakes the goroutine that waits for the participant, and only wakes
// it: why has to be clear from elsewhere. A blocked read can be woken by its
// deadline alone, so it is left in the past.
func (c *clientConn) interrupt() { c.SetReadDeadline(past) }

// interrupt wakes the goroutine that waits for the app, in the same way.
func (c *appConn) interrupt() { c.SetReadDeadline(past) }
