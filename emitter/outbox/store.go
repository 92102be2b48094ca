package outbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/sidehook/sidehook/rules/config"
)

// ErrClosed is returned by reads and changes while the state file is not open.
var ErrClosed = errors.New("the state file is not open")

// Options configure a Store.
type Options struct {
	// Dir is the state directory. It is created if it does not exist.
	Dir string
	// Retention is how long finished deliveries and journeys are kept. Zero values keep them forever.
	Retention config.Retention
	Logger    *slog.Logger
	// Metrics registers the metrics of the store; nil means nowhere.
	Metrics prometheus.Registerer
	// Log makes the store one of several replicas, whose files it keeps alike; nil means
	// that it is alone.
	Log Log
	// Incarnation is the name of this run of the replica among the others, no longer
	// than 64 bytes; empty means a random one.
	Incarnation string
}

// Store is the state file. All methods may be called from any goroutine at any
// time: before Run, during it and after it.
type Store struct {
	options Options
	log     *slog.Logger
	changes *changeQueue
	writer  writer

	// engine is nil while the state file is closed.
	engine atomic.Pointer[engine]
	disk   disk
	damage *damageReport
	// segmentSize is how long a segment of the journal becomes.
	segmentSize int64
	// applyAtOnce is how many records one transaction of a checkpoint has. Each may
	// write a page, before the one that it replaces is free.
	applyAtOnce int
	// shrinkIdle is the constant of this name, but in tests.
	shrinkIdle time.Duration
	// erase asks the writer for what engine.erase is.
	erase chan chan<- error
	// wishes are what other goroutines have the writer do.
	wishes chan wish
	// upkeep is what a replica does beside its writer.
	upkeep upkeep
	// closing is closed before the file is closed, stopped once Run has ended.
	closing, stopped chan struct{}

	mu     sync.Mutex
	status status
	stats  Stats
	ready  map[string]chan struct{}

	commitSeconds prometheus.Histogram

	// withdrawals counts the commits that discarded a pending delivery.
	withdrawals atomic.Uint64
	// reading is held by readers; taking the write lock waits until the current
	// readers have ended.
	reading sync.RWMutex
	// exclusive is held by Backup and Scrub: each would undo the other. So is it while the
	// state file is copied or replaced for another reason.
	exclusive sync.Mutex
}

// New makes a Store. Run opens the file.
func New(o Options) *Store {
	segment := segmentOf(int64(o.Retention.Size))
	s := &Store{
		options: o,
		log:     o.Logger,
		disk:    osDisk{},

		segmentSize: segment, applyAtOnce: int(segment / pageSize), shrinkIdle: shrinkIdle,
		erase:   make(chan chan<- error),
		wishes:  make(chan wish),
		changes: newChangeQueue(maxWaiting, maxWaitingBytes),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
		ready:   map[string]chan struct{}{},
	}
	s.damage = newDamageReport(o.Logger, o.Metrics)
	s.writer.init(s)
	s.upkeep.store = s
	s.register(o.Metrics)
	return s
}

// Submit queues a change for the next commit and returns at once; done is
// closed when the change is on disk. fn runs in the one goroutine that writes,
// in the order of the calls. It may run more than once, so it must have no
// effect but on its Tx. size is how many bytes of memory fn keeps alive.
//
// If ok is false the queue is full or closed: fn is lost and counted in
// Stats.Lost. On a replica that does not lead ok is false too, which is not counted,
// and done is closed also for a change that is dropped since another replica leads.
// Submit never logs, since callers may hold locks; they log the loss.
func (s *Store) Submit(size int, fn func(*Tx)) (done <-chan struct{}, ok bool) {
	c := change{apply: fn, size: size, done: make(chan struct{})}
	if !s.changes.tryAdd(c) {
		if !s.changes.isFollowing() {
			s.countLost(1)
		}
		return nil, false
	}
	return c.done, true
}

// Do queues a change and waits until it is on disk. If ctx ends first, the
// change may still be made later. Do ignores the bounds of the queue, so it is
// for callers that are few and wait. It returns ErrFollows if another replica leads,
// or has begun to before the change was made.
func (s *Store) Do(ctx context.Context, fn func(*Tx)) error {
	c := change{apply: fn, done: make(chan struct{}), isAwaited: true, outcome: new(error)}
	if !s.changes.add(c) {
		return s.changes.refusal()
	}
	select {
	case <-c.done:
		return *c.outcome
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
		return ErrClosed
	}
}

// view runs a short read of the state. Whatever fn keeps must be copied.
func (s *Store) view(fn func(*view) error) (err error) {
	e := s.engine.Load()
	if e == nil {
		return ErrClosed
	}
	s.reading.RLock()
	defer s.reading.RUnlock()
	defer guard(&err)()
	v, err := e.view()
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	} else if err != nil {
		return err
	}
	defer v.end()
	v.damaged = s.noteDamage
	return fn(v)
}
