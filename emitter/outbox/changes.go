package outbox

import "sync"

// job is a change that waits for its commit.
type job struct {
	fn   func(*Tx)
	size int
	done chan struct{}
}

// queue is where changes wait. It is bounded by their number and by the memory
// that they hold on to.
type queue struct {
	maxJobs, maxBytes int
	// wake has a token when there is something that the writer has not seen.
	wake chan struct{}

	mu     sync.Mutex
	jobs   []job
	closed bool
	// held and heldBytes count what waits, the writer's own batch included.
	held, heldBytes int
}

func newQueue(maxJobs, maxBytes int) *queue {
	return &queue{maxJobs: maxJobs, maxBytes: maxBytes, wake: make(chan struct{}, 1)}
}

// add appends a job, which may pass the bounds where unbounded is set.
func (q *queue) add(j job, unbounded bool) (ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	isFull := q.held >= q.maxJobs || q.heldBytes+j.size > q.maxBytes
	if q.closed || (isFull && !unbounded) {
		return false
	}
	q.jobs = append(q.jobs, j)
	q.held, q.heldBytes = q.held+1, q.heldBytes+j.size
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// take moves up to limit jobs to the writer; release gives their room back.
func (q *queue) take(limit int) []job {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) <= limit {
		batch := q.jobs
		q.jobs = nil
		return batch
	}
	batch := q.jobs[:limit:limit]
	q.jobs = q.jobs[limit:]
	return batch
}

func (q *queue) release(batch []job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range batch {
		q.held, q.heldBytes = q.held-1, q.heldBytes-j.size
	}
}

// close refuses whatever comes later; what waits can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held
}
