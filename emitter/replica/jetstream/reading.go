package jetstream

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/sidehook/sidehook/emitter/outbox"
)

const (
	// heartbeat is how often a server says that there is nothing new; two that do not
	// come end a read. pullExpiry is how long one request for messages lasts.
	heartbeat, pullExpiry = time.Second, 5 * time.Second
	// inactive is when a server forgets a consumer of a process that has died.
	inactive = 30 * time.Second
)

// reading reads a stream from one number on, each message once.
type reading struct {
	*stream
	after uint64
	fn    func(number uint64, data []byte) error
	// mayLack is set where messages that were dropped are passed over.
	mayLack bool
	// failed is what fn returned.
	failed error
}

// run reads until ctx ends or fn fails. Whatever else goes wrong, it begins again
// behind the last message that fn has taken.
func (r *reading) run(ctx context.Context) error {
	for wait := minPause; ; {
		before := r.after
		err := r.read(ctx)
		switch {
		case r.failed != nil:
			return r.failed
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, outbox.ErrGone):
			return err
		case r.after > before:
			wait = minPause
		}
		wait = pause(ctx, wait)
	}
}

// read reads until there is any doubt.
func (r *reading) read(ctx context.Context) error {
	info, err := r.info(ctx)
	if err != nil {
		return err
	}
	switch isDropped := info.State.FirstSeq > r.after+1; {
	case info.State.LastSeq < r.after, isDropped && !r.mayLack:
		return outbox.ErrGone
	case isDropped:
		r.after = info.State.FirstSeq - 1
	}
	messages, end, err := r.consume(ctx)
	if err != nil {
		return err
	}
	defer end()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		about, err := m.Metadata()
		switch {
		case err != nil:
			return err
		case about.Sequence.Stream <= r.after:
			continue
		case about.Sequence.Stream != r.after+1:
			return errGap
		}
		if r.failed = r.fn(about.Sequence.Stream, m.Data()); r.failed != nil {
			return r.failed
		}
		r.after++
	}
}

// errGap makes a reading begin again.
var errGap = errors.New("messages are missing")

// consume asks for the messages after the last one.
func (r *reading) consume(ctx context.Context) (messages jetstream.MessagesContext, end func(), err error) {
	handle, err := r.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	consumer, err := handle.CreateConsumer(ctx, jetstream.ConsumerConfig{
		AckPolicy: jetstream.AckNonePolicy, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.after + 1,
		InactiveThreshold: inactive, MemoryStorage: true, Replicas: 1,
	})
	if err != nil {
		return nil, nil, r.stream.failed(err)
	}
	messages, err = consumer.Messages(jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return nil, nil, r.stream.failed(err)
	}
	return messages, func() {
		messages.Stop()
		// A server that cannot be asked forgets the consumer by itself.
		ctx, cancel := context.WithTimeout(context.Background(), heartbeat)
		defer cancel()
		_ = handle.DeleteConsumer(ctx, consumer.CachedInfo().Name)
	}, nil
}
