package outbox

import (
	"bytes"
	"context"
	"sync"
)

// maxIncoming is how many bytes of entries wait in memory to be applied; a single one
// may be longer.
const maxIncoming = 4 << 20

// incoming has the entries that were read from the log and wait for the writer.
type incoming struct {
	// wake has a token when there is something new, room when there is room again.
	wake, room chan struct{}
	cancel     context.CancelFunc
	ended      chan struct{}

	mu      sync.Mutex
	entries []numbered
	size    int
	// last is the number of the last entry that was read.
	last uint64
	// err is why no more are read.
	err error
}

// numbered is an entry's bytes and its number.
type numbered struct {
	number uint64
	bytes  []byte
}

// readLog begins to read the entries after a number. stop ends that.
func readLog(log Log, after uint64) *incoming {
	ctx, cancel := context.WithCancel(context.Background())
	in := &incoming{
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1), cancel: cancel, ended: make(chan struct{}), last: after,
	}
	go func() {
		defer close(in.ended)
		err := log.Written(ctx, after, func(number uint64, entry []byte) error { return in.add(ctx, number, entry) })
		in.mu.Lock()
		defer in.mu.Unlock()
		in.err = err
		in.signal(in.wake)
	}()
	return in
}

// stop ends the reading and waits for that.
func (in *incoming) stop() {
	in.cancel()
	<-in.ended
}

// add keeps a copy of an entry, once there is room.
func (in *incoming) add(ctx context.Context, number uint64, entry []byte) error {
	for !in.tryAdd(number, entry) {
		select {
		case <-in.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

func (in *incoming) tryAdd(number uint64, entry []byte) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.last = number
	if len(in.entries) > 0 && in.size+len(entry) > maxIncoming {
		return false
	}
	in.entries, in.size = append(in.entries, numbered{number, bytes.Clone(entry)}), in.size+len(entry)
	in.signal(in.wake)
	return true
}

// next takes an entry. err is why none will come any more.
func (in *incoming) next() (n numbered, ok bool, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.entries) == 0 {
		return numbered{}, false, in.err
	}
	n = in.entries[0]
	in.entries, in.size = in.entries[1:], in.size-len(n.bytes)
	in.signal(in.room)
	return n, true, nil
}

// read returns the number of the last entry that was read.
func (in *incoming) read() (last uint64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.last
}

func (in *incoming) signal(token chan struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}
