package jetstream

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// account looks at what the account may do, and at the streams.
func (i *inspection) account(ctx context.Context, conn *nats.Conn) {
	js, err := jetstream.New(conn)
	if err != nil {
		i.find(NoJetStream, "cannot use JetStream: %v", i.options.hide(err))
		return
	}
	account, err := js.AccountInfo(ctx)
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		i.find(NoJetStream, "JetStream is off: turn it on at the servers, and for the account")
		return
	case errors.Is(err, context.DeadlineExceeded):
		i.find(Unreachable, "JetStream does not answer: its servers have just started, or too few of them are up, or the user may not ask (subjects $JS.API.>)")
		return
	case err != nil:
		i.find(Denied, "cannot ask for the account's JetStream, which a user must be allowed to (subjects $JS.API.>): %v", i.options.hide(err))
		return
	}
	if room := account.Limits.MaxStore - int64(account.Store); account.Limits.MaxStore >= 0 && room < 3*minBytes {
		i.find(NoRoom, "the account has room for %d MiB, and %d MiB are the least that is needed", max(0, room)>>20, 3*minBytes>>20)
	}
	if most := account.Limits.MaxStreams; most >= 0 && most-account.Streams < 3 && !i.hasStreams(ctx, js) {
		i.find(NoRoom, "the account may have %d streams and has %d: 3 more are needed", most, account.Streams)
	}
	for _, kind := range streamKinds {
		i.stream(ctx, js, i.options.streamName(kind), i.options.subject(kind))
	}
}

// stream looks at a stream. Where it does not exist, the first replica makes it.
func (i *inspection) stream(ctx context.Context, js jetstream.JetStream, name, subject string) {
	stream, err := js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return
	} else if err != nil {
		i.find(Denied, "cannot use the stream %s: %v", name, i.options.hide(err))
		return
	}
	config := stream.CachedInfo().Config
	if err := checkConfig(config, subject); err != nil {
		i.find(WrongStream, "cannot use the stream %s: %v", name, err)
	}
	if i.report.Cluster != "" && config.Replicas < enoughServers {
		i.find(FewServers, "the stream %s is kept by %d of the servers: edit it (nats stream edit --replicas %d)", name, config.Replicas, enoughServers)
	}
}

// hasStreams reports whether the streams exist.
func (i *inspection) hasStreams(ctx context.Context, js jetstream.JetStream) bool {
	_, err := js.Stream(ctx, i.options.streamName(written))
	return err == nil
}
