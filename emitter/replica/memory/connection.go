package memory

import (
	"bytes"
	"context"
)

// The lines that a connection can have.
const (
	whole line = iota
	// deaf: what is sent arrives, and no acknowledgement or answer comes back.
	deaf
	cut
)

type line int

func (l line) String() string { return [...]string{"whole", "deaf", "cut"}[l] }

// Connection is the log and the link of one replica.
type Connection struct {
	servers *Servers
	// line is guarded by the lock of the servers.
	line line
}

// Cut cuts the line: calls wait until it is mended, or their contexts end, and
// messages, questions and answers are lost.
func (c *Connection) Cut() { c.set(cut) }

// Deafen loses the acknowledgements of what is written or dropped from now on, and the
// answers to questions: such calls wait until the line is mended, or their contexts end.
// All else can be read and heard.
func (c *Connection) Deafen() { c.set(deaf) }

// Mend makes the line whole again.
func (c *Connection) Mend() { c.set(whole) }

// IsConnected reports whether the line is not cut.
func (c *Connection) IsConnected() bool {
	c.servers.mu.Lock()
	defer c.servers.mu.Unlock()
	return c.line != cut
}

func (c *Connection) set(l line) {
	c.servers.mu.Lock()
	defer c.servers.mu.Unlock()
	c.line = l
	c.servers.wake()
}

// read calls fn with the lock held once the line is not cut.
func (c *Connection) read(ctx context.Context, fn func()) error {
	return c.servers.until(ctx, func() bool {
		if c.line == cut {
			return false
		}
		fn()
		return true
	})
}

// write calls fn with the lock held once the line is not cut, and returns once its
// acknowledgement has arrived.
func (c *Connection) write(ctx context.Context, fn func()) error {
	if err := c.read(ctx, func() { fn(); c.servers.wake() }); err != nil {
		return err
	}
	return c.acknowledged(ctx)
}

// acknowledged returns once the line is whole.
func (c *Connection) acknowledged(ctx context.Context) error {
	return c.servers.until(ctx, func() bool { return c.line == whole })
}

// follow calls fn with each message of a list that next finds, until ctx ends or fn or
// next returns an error. next has the lock; it is given the number of the last message,
// and returns nil where there is none yet.
func (c *Connection) follow(
	ctx context.Context, after uint64, next func(after uint64) (uint64, []byte, error), fn func(uint64, []byte) error,
) error {
	for {
		var message []byte
		var failed error
		err := c.servers.until(ctx, func() bool {
			if c.line == cut {
				return false
			}
			after, message, failed = next(after)
			return message != nil || failed != nil
		})
		if err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
		err = lend(message, func(message []byte) error { return fn(after, message) })
		if err != nil {
			return err
		}
	}
}

// lend gives fn bytes that it cannot use once it has returned.
func lend(message []byte, fn func([]byte) error) error {
	lent := bytes.Clone(message)
	err := fn(lent)
	for i := range lent {
		lent[i] = 0xDB
	}
	return err
}
