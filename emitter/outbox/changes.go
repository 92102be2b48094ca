package outbox

import (
	"errors"
	"sync"
)

// The bounds of the changes that wait in memory for a commit.
const (
	maxWaiting      = 8192
	maxWaitingBytes = 64 << 20
)

// change is one that waits for its commit.
type change struct {
	apply func(*Tx)
	// size is how many bytes of memory it keeps alive.
	size int
	done chan struct{}
	// isAwaited is set if somebody waits for done, and is told if it never comes.
	isAwaited bool
	// outcome is set before done is closed, if somebody wants to know; nil means that
	// the change was made, or failed.
	outcome *error
}

// changeQueue is where changes wait for the writer. It is bounded by their
// number and by the memory they keep alive.
type changeQueue struct {
	maxChanges, maxBytes int
	// wake has a token when there is something that the writer has not seen.
	wake chan struct{}

	mu      sync.Mutex
	changes []change
	closed  bool
	// follows reports that another replica leads.
	follows bool
	// held and heldBytes count what waits, including the writer's own batch.
	held, heldBytes int
}

func newChangeQueue(maxChanges, maxBytes int) *changeQueue {
	return &changeQueue{maxChanges: maxChanges, maxBytes: maxBytes, wake: make(chan struct{}, 1)}
}

// tryAdd appends a change. It returns false if the queue is full or closed.
func (q *changeQueue) tryAdd(c change) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if isFull := q.held >= q.maxChanges || q.heldBytes+c.size > q.maxBytes; isFull {
		return false
	}
	return q.append(c)
}

// add appends a change even if the queue is full. It returns false if the queue is closed.
func (q *changeQueue) add(c change) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.append(c)
}

func (q *changeQueue) append(c change) bool {
	if q.closed || q.follows {
		return false
	}
	q.changes = append(q.changes, c)
	q.held, q.heldBytes = q.held+1, q.heldBytes+c.size
	q.poke()
	return true
}

// poke wakes the writer.
func (q *changeQueue) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// refusal returns why changes are refused for other reasons than a lack of room.
func (q *changeQueue) refusal() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case q.follows:
		return ErrFollows
	}
	return nil
}

func (q *changeQueue) isFollowing() bool { return errors.Is(q.refusal(), ErrFollows) }

// setFollows says whether another replica leads. If so, what waits is returned.
func (q *changeQueue) setFollows(follows bool) (refused []change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.follows = follows; follows {
		refused, q.changes = q.changes, nil
	}
	return refused
}

// take moves up to limit changes to the writer. They still count as waiting until release.
func (q *changeQueue) take(limit int) []change {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.changes) <= limit {
		batch := q.changes
		q.changes = nil
		return batch
	}
	batch := q.changes[:limit:limit]
	q.changes = q.changes[limit:]
	return batch
}

// release frees the room of changes that were taken.
func (q *changeQueue) release(batch []change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range batch {
		q.held, q.heldBytes = q.held-1, q.heldBytes-c.size
	}
}

// close refuses further changes; those that wait can still be taken.
func (q *changeQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *changeQueue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held
}
