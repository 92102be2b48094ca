package memory

import (
	"context"
	"fmt"

	"github.com/sidehook/sidehook/emitter/outbox/logerrors"
)

// MaxMessage is how long a message, a question or an answer may be, in bytes.
func (c *Connection) MaxMessage() int { return c.servers.MaxMessage }

// See appends a message to what was seen.
func (c *Connection) See(ctx context.Context, message []byte) error {
	if err := c.checkMessage(message); err != nil {
		return err
	}
	return c.write(ctx, func() { c.servers.seen.add(message) })
}

// Seen calls fn with each message after the one numbered after. It returns an error that
// is outbox.ErrGone where the list ends before that one.
func (c *Connection) Seen(ctx context.Context, after uint64, fn func(number uint64, message []byte) error) error {
	return c.follow(ctx, after, func(after uint64) (uint64, []byte, error) {
		if after > c.servers.seen.last() {
			return after, nil, logerrors.ErrGone
		}
		next := max(after, c.servers.seen.dropped) + 1
		if message := c.servers.seen.get(next); message != nil {
			return next, message, nil
		}
		return after, nil, nil
	}, fn)
}

// LastSeen returns the number of the last message that was seen, 0 for none.
func (c *Connection) LastSeen(ctx context.Context) (number uint64, err error) {
	err = c.read(ctx, func() { number = c.servers.seen.last() })
	return number, err
}

// DropSeen deletes the messages up to a number.
func (c *Connection) DropSeen(ctx context.Context, upTo uint64) error {
	return c.write(ctx, func() { c.servers.seen.drop(upTo) })
}

func (c *Connection) checkMessage(message []byte) error {
	if len(message) > c.servers.MaxMessage {
		return fmt.Errorf("cannot send a message of %d bytes: %d is the most", len(message), c.servers.MaxMessage)
	}
	return nil
}
