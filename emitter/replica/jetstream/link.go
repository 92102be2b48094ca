package jetstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// waitingMessages is how many messages of a topic, or answers to a question, wait for
// whom they are for. Further ones are lost.
const waitingMessages = 1024

// See implements replica.Link.
func (c *Connection) See(ctx context.Context, message []byte) error {
	if _, err := c.seen.open(ctx); err != nil {
		return err
	}
	_, err := c.js.Publish(ctx, c.seen.subject, message, jetstream.WithExpectStream(c.seen.name), jetstream.WithRetryAttempts(0))
	if err != nil {
		return c.seen.failed(err)
	}
	return nil
}

// Seen implements replica.Link.
func (c *Connection) Seen(ctx context.Context, after uint64, fn func(number uint64, message []byte) error) error {
	return (&reading{stream: c.seen, after: after, fn: fn, mayLack: true}).run(ctx)
}

// LastSeen implements replica.Link.
func (c *Connection) LastSeen(ctx context.Context) (number uint64, err error) {
	info, err := c.seen.info(ctx)
	if err != nil {
		return 0, err
	}
	return info.State.LastSeq, nil
}

// DropSeen implements replica.Link.
func (c *Connection) DropSeen(ctx context.Context, upTo uint64) error { return c.seen.drop(ctx, upTo) }

// Ask implements replica.Link.
func (c *Connection) Ask(ctx context.Context, topic string, question []byte, fn func(answer []byte) (goesOn bool)) error {
	inbox := c.conn.NewInbox()
	answers := make(chan *nats.Msg, waitingMessages)
	subscription, err := c.conn.ChanSubscribe(inbox, answers)
	if err != nil {
		return c.unasked(err)
	}
	defer func() { _ = subscription.Unsubscribe() }()
	if err := c.conn.PublishRequest(c.askSubject(topic), inbox, question); err != nil {
		return c.unasked(err)
	}
	for {
		select {
		case answer := <-answers:
			if isUnheard := answer.Header.Get("Status") == "503"; isUnheard {
				continue // nobody answers: the caller decides how long that matters
			}
			if !fn(answer.Data) {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (c *Connection) unasked(err error) error {
	return fmt.Errorf("cannot ask the other replicas: %w", c.options.hide(err))
}

// Answer implements replica.Link.
func (c *Connection) Answer(ctx context.Context, topic string, fn func(question []byte) (answer []byte)) error {
	return c.hear(ctx, c.askSubject(topic), func(m *nats.Msg) {
		if answer := fn(m.Data); answer != nil {
			_ = m.Respond(answer) // who has asked asks again
		}
	})
}

// Tell implements replica.Link.
func (c *Connection) Tell(topic string, message []byte) error {
	if err := c.conn.Publish(c.tellSubject(topic), message); err != nil {
		return fmt.Errorf("cannot tell the other replicas: %w", c.options.hide(err))
	}
	return nil
}

// Hear implements replica.Link.
func (c *Connection) Hear(ctx context.Context, topic string, fn func(message []byte)) error {
	return c.hear(ctx, c.tellSubject(topic), func(m *nats.Msg) { fn(m.Data) })
}

// hear calls fn for each message of a subject until ctx ends.
func (c *Connection) hear(ctx context.Context, subject string, fn func(*nats.Msg)) error {
	subscription, err := c.conn.SubscribeSync(subject)
	if err != nil {
		return fmt.Errorf("cannot hear the other replicas: %w", c.options.hide(err))
	}
	defer func() { _ = subscription.Unsubscribe() }()
	for {
		m, err := subscription.NextMsgWithContext(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, nats.ErrSlowConsumer): // some are lost, which is what they may be
		case err != nil:
			return fmt.Errorf("cannot hear the other replicas: %w", c.options.hide(err))
		default:
			fn(m)
		}
	}
}

func (c *Connection) askSubject(topic string) string { return c.options.App + ".ask." + topic }

func (c *Connection) tellSubject(topic string) string { return c.options.App + ".tell." + topic }
