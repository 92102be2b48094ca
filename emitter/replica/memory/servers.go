package memory

import (
	"context"
	"sync"
)

// defaultMax is about what servers take with their usual settings, in bytes.
const defaultMax = 900 << 10

// Servers are what the connections of all replicas lead to. They start no goroutine:
// a call on a connection has ended with everything it did once it has returned.
type Servers struct {
	// MaxEntry and MaxMessage are how long an entry, and a message, question or answer
	// may be, in bytes. They may be set before the first connection is made.
	MaxEntry, MaxMessage int

	mu sync.Mutex
	// changed is closed, and replaced, whenever a line or anything below changes.
	changed       chan struct{}
	written, seen list
	snapshots     []snapshot
	inboxes       []*inbox
}

// NewServers returns servers that have nothing yet.
func NewServers() *Servers {
	return &Servers{MaxEntry: defaultMax, MaxMessage: defaultMax, changed: make(chan struct{})}
}

// Connect returns a connection of another replica.
func (s *Servers) Connect() *Connection { return &Connection{servers: s} }

// Forget loses everything that is durable, as if the servers were new.
func (s *Servers) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written, s.seen, s.snapshots = list{}, list{}, nil
	s.wake()
}

// ForgetSeen loses what was seen.
func (s *Servers) ForgetSeen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = list{}
	s.wake()
}

// wake wakes all calls that wait. The lock is held.
func (s *Servers) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// until calls try with the lock held, again after each change, until it returns true
// or ctx ends, whose error is returned.
func (s *Servers) until(ctx context.Context, try func() bool) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.mu.Lock()
		isDone, changed := try(), s.changed
		s.mu.Unlock()
		if isDone {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// list holds messages numbered from 1, those that were dropped excepted.
type list struct {
	dropped uint64
	kept    [][]byte
}

func (l *list) last() uint64 { return l.dropped + uint64(len(l.kept)) }

// get returns the message of a number, nil if there is none.
func (l *list) get(number uint64) []byte {
	if number <= l.dropped || number > l.last() {
		return nil
	}
	return l.kept[number-l.dropped-1]
}

func (l *list) add(message []byte) {
	l.kept = append(l.kept, append(make([]byte, 0, len(message)+1), message...)) // never nil
}

func (l *list) drop(upTo uint64) {
	for l.dropped < upTo && len(l.kept) > 0 {
		l.dropped, l.kept = l.dropped+1, l.kept[1:]
	}
}
