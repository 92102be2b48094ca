package memory

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sidehook/sidehook/emitter/outbox/logerrors"
)

// MaxEntry is how long an entry may be, in bytes.
func (c *Connection) MaxEntry() int { return c.servers.MaxEntry }

// Write appends an entry right after the one numbered after. An equal entry that is
// there already counts as its own: nobody but its writer has the same. Where the log
// ends before after, it returns ErrGone.
func (c *Connection) Write(ctx context.Context, after uint64, entry []byte) (number uint64, err error) {
	if len(entry) > c.servers.MaxEntry {
		return 0, fmt.Errorf("cannot write an entry of %d bytes: %d is the most", len(entry), c.servers.MaxEntry)
	}
	var refused error
	err = c.write(ctx, func() {
		written := &c.servers.written
		switch {
		case after > written.last():
			refused = fmt.Errorf("cannot write an entry after number %d, the last is %d: %w", after, written.last(), logerrors.ErrGone)
		case after == written.last():
			written.add(entry)
		case !bytes.Equal(written.get(after+1), entry) || after < written.dropped:
			refused = logerrors.ErrOvertaken
		}
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return 0, err
	}
	return after + 1, nil
}

// Written calls fn with each entry after the one numbered after. Where the log ends
// before that one, it returns ErrGone too.
func (c *Connection) Written(ctx context.Context, after uint64, fn func(number uint64, entry []byte) error) error {
	return c.follow(ctx, after, func(after uint64) (uint64, []byte, error) {
		written := &c.servers.written
		if after < written.dropped || after > written.last() {
			return after, nil, logerrors.ErrGone
		}
		if entry := written.get(after + 1); entry != nil {
			return after + 1, entry, nil
		}
		return after, nil, nil
	}, fn)
}

// Extent returns the numbers of the first and the last entry there is.
func (c *Connection) Extent(ctx context.Context) (first, last uint64, err error) {
	err = c.read(ctx, func() { first, last = c.servers.written.dropped+1, c.servers.written.last() })
	return first, last, err
}

// Drop deletes the entries up to a number.
func (c *Connection) Drop(ctx context.Context, upTo uint64) error {
	return c.write(ctx, func() { c.servers.written.drop(upTo) })
}
