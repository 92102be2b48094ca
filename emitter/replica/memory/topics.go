package memory

import (
	"bytes"
	"context"
	"slices"
)

// maxInbox is how many messages wait for one that hears them. Further ones are lost.
const maxInbox = 4096

// inbox is where messages wait for one call of Hear, Answer or Ask. It is guarded by
// the lock of the servers.
type inbox struct {
	owner    *Connection
	kind     kind
	topic    string
	messages []post
}

// The kinds of inboxes.
const (
	hearing kind = iota
	answering
	asking
)

type kind int

// post is a message and, of a question, where its answers go.
type post struct {
	message []byte
	answers *inbox
}

// Tell sends a message to all that hear a topic. Over a cut line it is lost, which is no error.
func (c *Connection) Tell(topic string, message []byte) error {
	if err := c.checkMessage(message); err != nil {
		return err
	}
	c.servers.mu.Lock()
	defer c.servers.mu.Unlock()
	c.post(hearing, topic, post{message: message})
	return nil
}

// Hear calls fn with each message of a topic until ctx ends.
func (c *Connection) Hear(ctx context.Context, topic string, fn func(message []byte)) error {
	in := c.listen(hearing, topic)
	defer in.close()
	for {
		p, err := in.next(ctx)
		if err != nil {
			return err
		}
		_ = lend(p.message, func(message []byte) error { fn(message); return nil })
	}
}

// Ask puts a question to all that answer a topic. A question over a cut line is lost,
// and so are the answers to a deaf one: then it waits until ctx ends.
func (c *Connection) Ask(ctx context.Context, topic string, question []byte, fn func(answer []byte) (goesOn bool)) error {
	if err := c.checkMessage(question); err != nil {
		return err
	}
	in := c.listen(asking, topic)
	defer in.close()
	c.servers.mu.Lock()
	c.post(answering, topic, post{message: question, answers: in})
	c.servers.mu.Unlock()
	for goesOn := true; goesOn; {
		p, err := in.next(ctx)
		if err != nil {
			return nil
		}
		_ = lend(p.message, func(answer []byte) error { goesOn = fn(answer); return nil })
	}
	return nil
}

// Answer answers the questions of a topic until ctx ends.
func (c *Connection) Answer(ctx context.Context, topic string, fn func(question []byte) (answer []byte)) error {
	in := c.listen(answering, topic)
	defer in.close()
	for {
		p, err := in.next(ctx)
		if err != nil {
			return err
		}
		_ = lend(p.message, func(question []byte) error {
			if answer := fn(question); answer != nil && c.checkMessage(answer) == nil {
				c.answer(p.answers, answer)
			}
			return nil
		})
	}
}

// post puts a message into all inboxes of a kind and topic. The lock is held.
func (c *Connection) post(to kind, topic string, p post) {
	if c.line == cut {
		return
	}
	p.message = bytes.Clone(p.message)
	for _, in := range c.servers.inboxes {
		if in.kind == to && in.topic == topic && in.owner.line != cut {
			in.add(p)
		}
	}
	c.servers.wake()
}

func (c *Connection) answer(to *inbox, answer []byte) {
	c.servers.mu.Lock()
	defer c.servers.mu.Unlock()
	if c.line != cut && to.owner.line == whole {
		to.add(post{message: bytes.Clone(answer)})
		c.servers.wake()
	}
}

func (c *Connection) listen(k kind, topic string) *inbox {
	in := &inbox{owner: c, kind: k, topic: topic}
	c.servers.mu.Lock()
	defer c.servers.mu.Unlock()
	c.servers.inboxes = append(c.servers.inboxes, in)
	return in
}

func (in *inbox) add(p post) {
	if len(in.messages) < maxInbox {
		in.messages = append(in.messages, p)
	}
}

// next waits for a message.
func (in *inbox) next(ctx context.Context) (p post, err error) {
	err = in.owner.servers.until(ctx, func() bool {
		if len(in.messages) == 0 {
			return false
		}
		p, in.messages = in.messages[0], in.messages[1:]
		return true
	})
	return p, err
}

func (in *inbox) close() {
	servers := in.owner.servers
	servers.mu.Lock()
	defer servers.mu.Unlock()
	servers.inboxes = slices.DeleteFunc(servers.inboxes, func(other *inbox) bool { return other == in })
}
