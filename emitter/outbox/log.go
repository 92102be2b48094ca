package outbox

import (
	"context"
	"errors"
	"io"

	"github.com/sidehook/sidehook/emitter/outbox/logerrors"
)

// ErrOvertaken is returned by Log.Write if another replica has written an entry there.
var ErrOvertaken = logerrors.ErrOvertaken

// ErrFollows is returned for a change on a replica that does not lead. Whoever wants
// it made asks the leader.
var ErrFollows = errors.New("another replica leads")

// Log is what the replicas of one app share below their stores: entries in one order,
// each numbered one higher than that before it, and snapshots. It is durable: what
// Write has returned for stays, whoever dies. Entries belong to their caller once a
// method has returned; those given to a function are valid until it returns.
type Log interface {
	// Write appends an entry right after the one numbered after, 0 for the first of
	// all, and returns once its fate is known: written, or ErrOvertaken. It goes on
	// trying until ctx ends; then the entry may be there or not, and the same call
	// tells which.
	Write(ctx context.Context, after uint64, entry []byte) (number uint64, err error)
	// Written calls fn with each entry after the one numbered after, in order and without
	// a gap, waiting for more until ctx ends or fn returns an error, which it returns.
	// If the next entry is gone, it returns ErrGone.
	Written(ctx context.Context, after uint64, fn func(number uint64, entry []byte) error) error
	// Extent returns the numbers of the first and the last entry there is; a log without
	// entries has first = last + 1.
	Extent(ctx context.Context) (first, last uint64, err error)
	// Drop deletes the entries up to a number. Nothing of them is left.
	Drop(ctx context.Context, upTo uint64) error
	// MaxEntry is how long an entry may be, in bytes.
	MaxEntry() int

	// Save keeps a snapshot under a new name, once it is whole.
	Save(ctx context.Context, name string, snapshot io.Reader) error
	// Open returns a snapshot; ErrGone if there is none of this name.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Snapshots returns the names of all snapshots that are whole, oldest first.
	Snapshots(ctx context.Context) (names []string, err error)
	// Remove deletes a snapshot. Nothing of it is left.
	Remove(ctx context.Context, name string) error
}

// ErrGone is returned for entries and snapshots that the log does not have any more.
var ErrGone = logerrors.ErrGone
