package outbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/sidehook/sidehook/rules/config"
)

// The bounds of what waits in memory for a commit.
const (
	maxWaiting      = 8192
	maxWaitingBytes = 64 << 20
)

// ErrClosed is what reads and changes give while the state file is not open.
var ErrClosed = errors.New("the state file is not open")

// Options are what a Store needs.
type Options struct {
	// Dir is the state directory. It is made when it is not there.
	Dir string
	// Retention says how long what is done with is kept. Zero values keep it for ever.
	Retention config.Retention
	Logger    *slog.Logger
	// Metrics is where the store's metrics are registered; nil means nowhere.
	Metrics prometheus.Registerer
}

// Store is the state file. All its methods may be called at any time from any
// goroutine, before Run, during and after.
type Store struct {
	options Options
	log     *slog.Logger
	queue   *queue
	writer  writer

	db atomic.Pointer[bolt.DB]
	// closing is closed before the file is, stopped when Run has ended.
	closing, stopped chan struct{}

	mu     sync.Mutex
	reason string // why nothing can be written, empty while it can
	stats  Stats
	ready  map[string]chan struct{}

	failures, losses everyMinute

	commitSeconds prometheus.Histogram

	// withdrawals counts the commits that took something pending back.
	withdrawals atomic.Uint64
	// reading is held by those who read; whoever gets it for itself knows that
	// those who read before have ended.
	reading sync.RWMutex
	// exclusive is held by Backup and Scrub: each would undo the other.
	exclusive sync.Mutex
	// filler is how many bytes Scrub has filled the file with.
	filler atomic.Int64
}

// Stats are the counters of a Store since it was made.
type Stats struct {
	// Commits that reached the disk, and the time that they took.
	Commits    uint64
	CommitTime time.Duration
	// Waiting changes are not on disk yet.
	Waiting int
	// Lost changes found no room to wait, or were not written when Run ended; lost
	// deliveries found no room in the file.
	Lost uint64
	// Dropped changes failed or panicked.
	Dropped uint64
	// Trimmed records were dropped because their retention was over.
	Trimmed uint64
	// FileBytes is the size of the state file, UsedBytes what of it holds something.
	FileBytes, UsedBytes int64
}

// New makes a Store. It opens nothing: Run does.
func New(o Options) *Store {
	s := &Store{
		options: o,
		log:     o.Logger,
		queue:   newQueue(maxWaiting, maxWaitingBytes),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
		reason:  "not opened yet",
		ready:   map[string]chan struct{}{},
	}
	s.writer.store = s
	s.writer.trimmer = trimmer{retention: o.Retention, log: o.Logger}
	s.register(o.Metrics)
	return s
}

// Submit queues a change for the next commit and returns at once; done is
// closed when it is on disk. fn runs in the one goroutine that writes, in the
// order of the calls. It may run more than once, so it has no effect but on its
// Tx. size is how many bytes of memory fn holds on to.
//
// When ok is false there was no room to wait: fn is lost, counted and logged.
func (s *Store) Submit(size int, fn func(*Tx)) (done <-chan struct{}, ok bool) {
	j := job{fn: fn, size: size, done: make(chan struct{})}
	if !s.queue.add(j, false) {
		s.lose(1)
		return nil, false
	}
	return j.done, true
}

// Do queues a change and waits until it is on disk or ctx ends, which leaves
// open whether it will be. There is always room for it, so it is for callers
// that are few and wait.
func (s *Store) Do(ctx context.Context, fn func(*Tx)) error {
	j := job{fn: fn, done: make(chan struct{})}
	if !s.queue.add(j, true) {
		return ErrClosed
	}
	select {
	case <-j.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
		return ErrClosed
	}
}

// State tells whether changes are being written, and why not. While they are
// not, it is useless to wait for one.
func (s *Store) State() (ok bool, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason == "", s.reason
}

// Stats returns the counters.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Waiting = s.queue.waiting()
	return stats
}

// Ready has a token when a target may have a delivery to send that it had not
// before, and when the state file was opened. Each target has one listener.
func (s *Store) Ready(target string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready[target] == nil {
		s.ready[target] = make(chan struct{}, 1)
	}
	return s.ready[target]
}

// wake gives a token to the listeners of these targets, to all without any.
func (s *Store) wake(targets map[string]struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, listener := range s.ready {
		if _, woken := targets[name]; !woken && targets != nil {
			continue
		}
		select {
		case listener <- struct{}{}:
		default:
		}
	}
}

// Withdrawals changes whenever pending deliveries were discarded: what was read
// before is not to be sent.
func (s *Store) Withdrawals() uint64 { return s.withdrawals.Load() }

// view reads, and not for long. What fn keeps must be copied.
func (s *Store) view(fn func(*bolt.Tx) error) (err error) {
	db := s.db.Load()
	if db == nil {
		return ErrClosed
	}
	s.reading.RLock()
	defer s.reading.RUnlock()
	defer guard(&err)()
	err = db.View(fn)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}
