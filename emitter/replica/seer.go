package replica

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// The bounds of the sightings that wait in memory.
const (
	maxWaiting      = 8192
	maxWaitingBytes = 64 << 20
)

// logEvery is how often the same problem is logged.
const logEvery = time.Minute

// SeenLink is what a Seer needs of a Link.
type SeenLink interface {
	See(ctx context.Context, message []byte) error
	MaxMessage() int
	IsConnected() bool
}

// SeerOptions are the settings of a Seer.
type SeerOptions struct {
	// Dir is where the spill is. It need not exist.
	Dir  string
	Link SeenLink
	// MaxSpill bounds the spill, in bytes; 0 stands for no bound.
	MaxSpill int64
	// ClockShift returns what has to be added to times that were taken before it was
	// known. Nothing is sent until it is, or for some seconds. It may be nil.
	ClockShift func() (shift time.Duration, isKnown bool)
	// OthersDrainedTo returns the earliest DrainedTo of other replicas, which this one does
	// not run far ahead of. It may be nil.
	OthersDrainedTo func() (earliest time.Time, isKnown bool)
	Logger          *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
}

// Seer makes durable what this replica saw: with all replicas, or, where that takes too
// long, in a file of its own, the spill, from where it goes to all replicas later.
type Seer struct {
	link        SeenLink
	disk        disk
	maxSpill    int64
	clockShift  func() (time.Duration, bool)
	others      func() (time.Time, bool)
	log         *slog.Logger
	incarnation string
	// wake has a token when there is something that the sender has not seen.
	wake    chan struct{}
	forgets chan forgetting
	stopped chan struct{}
	sender  sender
	logLost rate.Sometimes

	mu sync.Mutex
	// queue has what waits for the sender, in the order of K, also while it is sent.
	queue      []waiting
	queueBytes int
	isClosed   bool
	lastK      uint64
	// own has what is not known to be seen of this incarnation, old of earlier ones.
	own       *backlog
	old       []*backlog
	counts    seerCounts
	drainedTo time.Time
}

// waiting is a sighting that is not durable.
type waiting struct {
	Sighting
	since time.Time
	done  chan struct{}
}

// Queue tells what of an incarnation is not known to be in what was seen.
type Queue struct {
	Incarnation string
	// Acked: all sightings up to this K are known to be in it, if they will ever be.
	Acked uint64
	// Pending is the K of the last sighting of each participant that is not known to be in it.
	Pending map[string]uint64
}

// SeerStatus is what a Seer does at the moment.
type SeerStatus struct {
	// Records and Bytes of the spill wait to be sent.
	Records int
	Bytes   int64
	// Spilled counts the sightings that were ever written to the spill, Lost those that are
	// neither there nor with the other replicas.
	Spilled, Lost uint64
	// Waiting is how many sightings are not durable yet.
	Waiting     int
	IsConnected bool
}

// NewSeer returns a Seer of a new incarnation, which has read what earlier ones have left
// in the directory. It takes sightings at once, and needs Run to make them durable.
func NewSeer(options SeerOptions) *Seer { return newSeer(options, osDisk(options.Dir)) }

func newSeer(options SeerOptions, d disk) *Seer {
	if options.ClockShift == nil {
		options.ClockShift = func() (time.Duration, bool) { return 0, true }
	}
	if options.OthersDrainedTo == nil {
		options.OthersDrainedTo = func() (time.Time, bool) { return time.Time{}, true }
	}
	s := &Seer{
		link: options.Link, disk: d, maxSpill: options.MaxSpill, incarnation: rand.Text(),
		clockShift: options.ClockShift, others: options.OthersDrainedTo,
		log:  cmp.Or(options.Logger, slog.Default()),
		wake: make(chan struct{}, 1), forgets: make(chan forgetting), stopped: make(chan struct{}),
		logLost: rate.Sometimes{Interval: logEvery},
	}
	s.own = newBacklog(s.incarnation)
	s.sender.init(s)
	s.sender.openSpills()
	s.sender.noteDrained()
	s.register(options.Metrics)
	return s
}

// Incarnation is a random name of this Seer: no other one has ever had it.
func (s *Seer) Incarnation() string { return s.incarnation }

// See takes what a participant did; data must not be changed any more. done is closed
// once it is durable. If ok is false, there is no room for it, and it is lost.
func (s *Seer) See(participant string, at time.Time, data []byte) (done <-chan struct{}, ok bool) {
	_, isCompared := s.clockShift()
	w := waiting{
		Sighting: Sighting{Participant: participant, At: at, Data: data, IsUncompared: !isCompared},
		since:    time.Now(), done: make(chan struct{}),
	}
	if waits, ok := s.enqueue(&w); !ok {
		if isDue(&s.logLost) {
			s.log.Error("what a participant did is lost: it can neither be sent to the other replicas nor be written to the disk", "waiting", waits)
		}
		return nil, false
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return w.done, true
}

// Unseen tells what is not known to be in what was seen, of each incarnation of this
// replica, of some participants, however many others there are; of all if that is nil.
// The last queue is that of this incarnation.
func (s *Seer) Unseen(of []string) (queues []Queue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.backlogs() {
		queues = append(queues, b.queue(of))
	}
	return queues
}

// DrainedTo returns the time up to which everything was sent that this replica saw while
// something waits in the spill: the Unix epoch before any of that was sent, and zero if
// nothing waits.
func (s *Seer) DrainedTo() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drainedTo
}

// Status tells what the Seer does at the moment.
func (s *Seer) Status() SeerStatus {
	isConnected := s.link.IsConnected()
	s.mu.Lock()
	defer s.mu.Unlock()
	status := SeerStatus{Spilled: s.counts.spilled, Lost: s.counts.lost, Waiting: len(s.queue), IsConnected: isConnected}
	for _, b := range s.backlogs() {
		status.Records += b.records
		status.Bytes += b.bytes
	}
	return status
}

// enqueue numbers a sighting and puts it into the queue, and returns how many wait there.
// If ok is false, there is no room. It logs nothing: every request that matters waits for
// the lock, and a log may be slow.
func (s *Seer) enqueue(w *waiting) (waits int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	isFull := len(s.queue) >= maxWaiting || s.queueBytes+w.size() > maxWaitingBytes || len(w.Data) > maxSighting
	if isFull || s.isClosed {
		s.counts.lost++
		return len(s.queue), false
	}
	s.lastK++
	w.K = s.lastK
	s.queue = append(s.queue, *w)
	s.queueBytes += w.size()
	s.own.pending[w.Participant] = w.K
	return len(s.queue), true
}

// isDue reports whether it is time to log again, which is done outside of Do: it has a
// lock, too, and would hold up all others with the same trouble.
func isDue(s *rate.Sometimes) (due bool) {
	s.Do(func() { due = true })
	return due
}

// backlogs returns those of earlier incarnations, oldest first, and that of this one.
func (s *Seer) backlogs() []*backlog { return append(s.old[:len(s.old):len(s.old)], s.own) }

// release takes the first n sightings from the queue, which are durable. The lock is held.
func (s *Seer) release(n int) {
	for i := range s.queue[:n] {
		s.queueBytes -= s.queue[i].size()
		close(s.queue[i].done)
		s.queue[i] = waiting{}
	}
	s.queue = s.queue[n:]
}

// peek returns what is first in the queue: up to about so many bytes, or one sighting.
func (s *Seer) peek(bytes int) (sightings []Sighting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.queue {
		if bytes -= s.queue[i].size(); bytes < 0 && i > 0 {
			break
		}
		sightings = append(sightings, s.queue[i].Sighting)
	}
	return sightings
}

// oldest returns since when the first sighting waits; ok is false if none does.
func (s *Seer) oldest() (since time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return time.Time{}, false
	}
	return s.queue[0].since, true
}
