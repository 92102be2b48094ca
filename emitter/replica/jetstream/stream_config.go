package jetstream

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// streamKind is what a stream of an app has.
type streamKind string

const (
	written   streamKind = "written"
	seen      streamKind = "seen"
	snapshots streamKind = "snapshots"
)

var streamKinds = []streamKind{written, seen, snapshots}

func (o Options) streamName(kind streamKind) string { return o.App + "_" + string(kind) }

// subject is that of the messages; those of snapshots have a name behind it.
func (o Options) subject(kind streamKind) string {
	if kind == snapshots {
		return o.App + "." + string(kind) + ".>"
	}
	return o.App + "." + string(kind)
}

// streamConfig is how a stream of an app is made.
func streamConfig(name, subject string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: name, Subjects: []string{subject}, Description: "of sidehook; do not edit",
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, Replicas: 1,
	}
}

// checkConfig returns an error for a stream that somebody else has made or edited so that
// it would lose messages, or never get any. How many servers keep it, and how large it
// may become, is up to operators.
func checkConfig(c jetstream.StreamConfig, subject string) error {
	var wrong []string
	check := func(isRight bool, format string, args ...any) {
		if !isRight {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	want := streamConfig(c.Name, subject)
	check(slices.Equal(c.Subjects, want.Subjects), "its subjects are %q instead of %q", c.Subjects, want.Subjects)
	check(c.Storage == want.Storage, "its storage is %s instead of %s", c.Storage, want.Storage)
	check(c.Retention == want.Retention, "its retention is %s instead of %s", c.Retention, want.Retention)
	check(c.Discard == want.Discard, "it discards the old (%s) instead of refusing the new (%s)", c.Discard, want.Discard)
	check(c.MaxMsgs <= 0 && c.MaxMsgsPerSubject <= 0, "it has a largest number of messages")
	check(c.MaxAge == 0, "its messages end after %s", c.MaxAge)
	check(c.MaxMsgSize <= 0, "its messages have a largest size of %d bytes", c.MaxMsgSize)
	check(c.Mirror == nil && len(c.Sources) == 0, "it gets messages of other streams")
	check(!c.NoAck, "it does not acknowledge messages")
	check(!c.Sealed, "it is sealed")
	check(!c.DenyDelete && !c.DenyPurge, "nothing can be deleted of it")
	check(c.SubjectTransform == nil, "it gives messages other subjects")
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s; edit it, or delete it while all replicas are stopped, and they make it as it has to be", errConfig, strings.Join(wrong, ", "))
}

var errConfig = errors.New("somebody else has made or edited it")
