package jetstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// Write implements outbox.Log.
func (c *Connection) Write(ctx context.Context, after uint64, entry []byte) (number uint64, err error) {
	sum := sha256.Sum256(entry)
	message := &nats.Msg{Subject: c.written.subject, Data: entry}
	options := []jetstream.PublishOpt{
		jetstream.WithExpectStream(c.written.name), jetstream.WithExpectLastSequence(after),
		jetstream.WithMsgID(fmt.Sprintf("%d-%x", after, sum[:16])), jetstream.WithRetryAttempts(0),
	}
	for wait := minPause; ; {
		number, err := c.tryWrite(ctx, after, message, options)
		switch {
		case err == nil:
			return number, nil
		case errors.Is(err, outbox.ErrOvertaken):
			return 0, err
		case ctx.Err() != nil:
			return 0, fmt.Errorf("cannot write to the log: %w", errors.Join(ctx.Err(), err))
		}
		wait = pause(ctx, wait)
	}
}

// tryWrite appends an entry, or finds out why it is not appended.
func (c *Connection) tryWrite(ctx context.Context, after uint64, message *nats.Msg, options []jetstream.PublishOpt) (number uint64, err error) {
	s := c.written
	if _, err := s.open(ctx); err != nil {
		return 0, err
	}
	trying, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ack, err := c.js.PublishMsg(trying, message, options...)
	switch {
	case err == nil:
		return ack.Sequence, nil
	case !hasCode(err, jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant):
		return 0, s.failed(err)
	}
	// That tells nothing yet: it may be ours, or not be decided.
	there, err := s.message(ctx, after+1, "")
	switch {
	case err == nil && there.Sequence == after+1 && bytes.Equal(there.Data, message.Data):
		return there.Sequence, nil
	case err == nil:
		return 0, outbox.ErrOvertaken
	case !errors.Is(err, errNone):
		return 0, err
	}
	info, err := s.info(ctx)
	if err != nil {
		return 0, err
	}
	if info.State.LastSeq != after { // the log has gone on, and was dropped; or it went back
		return 0, outbox.ErrOvertaken
	}
	return 0, errors.New("the servers have not decided yet")
}

// Written implements outbox.Log.
func (c *Connection) Written(ctx context.Context, after uint64, fn func(number uint64, entry []byte) error) error {
	return (&reading{stream: c.written, after: after, fn: fn}).run(ctx)
}

// Extent implements outbox.Log.
func (c *Connection) Extent(ctx context.Context) (first, last uint64, err error) {
	info, err := c.written.info(ctx)
	if err != nil {
		return 0, 0, err
	}
	first, last = info.State.FirstSeq, info.State.LastSeq
	if isEmpty := info.State.Msgs == 0; isEmpty {
		first = last + 1
	}
	return first, last, nil
}

// Drop implements outbox.Log.
func (c *Connection) Drop(ctx context.Context, upTo uint64) error { return c.written.drop(ctx, upTo) }
