package replica

import "context"

// Link is what joins the replicas of one app beside the log of their stores: a durable
// list of what they saw, and messages that are lost where nobody hears them. Its
// consumers take the methods that they need. The bytes given to a function are valid
// until it returns.
type Link interface {
	// See appends a message to what was seen, and returns once it is durable. If it
	// fails, the message may be there all the same.
	See(ctx context.Context, message []byte) error
	// Seen calls fn with each message that was seen after the one numbered after, in
	// order and without a gap among those that were not dropped, waiting for more until
	// ctx ends or fn returns an error, which it returns. If the list ends before that
	// number, it is another one: outbox.ErrGone.
	Seen(ctx context.Context, after uint64, fn func(number uint64, message []byte) error) error
	// LastSeen returns the number of the last message that was seen, 0 for none.
	LastSeen(ctx context.Context) (number uint64, err error)
	// DropSeen deletes the messages up to a number. Nothing of them is left.
	DropSeen(ctx context.Context, upTo uint64) error
	// MaxMessage is how long a message, a question or an answer may be, in bytes.
	MaxMessage() int

	// Ask puts a question to all replicas, this one included, that answer a topic. It
	// calls fn with each answer until fn returns false or ctx ends, which is no error.
	Ask(ctx context.Context, topic string, question []byte, fn func(answer []byte) (goesOn bool)) error
	// Answer answers the questions of a topic until ctx ends, one after the other. No
	// answer is sent where fn returns nil.
	Answer(ctx context.Context, topic string, fn func(question []byte) (answer []byte)) error
	// Tell sends a message to all replicas, this one included, that hear a topic.
	Tell(topic string, message []byte) error
	// Hear calls fn with each message of a topic until ctx ends.
	Hear(ctx context.Context, topic string, fn func(message []byte)) error

	// IsConnected reports whether the servers can be reached at the moment.
	IsConnected() bool
}
