package record

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

const (
	// maxBatchSeen and maxBatchBytes are how much is folded at once, unless something
	// has to be folded together with it.
	maxBatchSeen  = 2048
	maxBatchBytes = 1 << 20
	// maxWhole is from how much on that has to be folded together a batch gets a horizon,
	// in bytes.
	maxWhole = 4 << 20
	// maxUnfolded bounds what was read and waits to be folded, in bytes.
	maxUnfolded = 32 << 20
	// maxTasks is how many tasks wait for the next batch.
	maxTasks = 256
	// maxIncarnations is of about how many incarnations the leader remembers what it read:
	// each start of a replica is one.
	maxIncarnations = 1000
	// dropEvery is how often what was folded is dropped from what was seen.
	dropEvery = time.Minute
	// dropTimeout is how long that may take.
	dropTimeout = 10 * time.Second
)

// foldTask is done once everything is folded that its participants did before.
type foldTask struct {
	participants []string
	// at is by when they did it, by the shared clock.
	at time.Time
	// apply is called in the transaction of the batch, with what is known of them. It
	// may run more than once.
	apply func(*outbox.Tx, *batch)
	// done gets a value once it is made; it has room for it, or is nil.
	done chan<- struct{}
}

// folding folds what the replicas saw, as long as this one leads. It is for one
// goroutine.
//
//	Link.Seen ─► read ─► list ─► gather: ask, read on, ask … ─► sequence ─► one transaction
type folding struct {
	*Recorder
	messages chan *seenMessage
	// list has the messages that were read and not folded, with a size in bytes; last
	// is the number of the last one that was read.
	list  []*seenMessage
	bytes int
	last  uint64
	// lastK is the last sighting of each incarnation that was read or folded.
	lastK map[string]uint64
	// reached is when the latest was seen of what was read of each incarnation.
	reached map[string]time.Time
	// deferred are tasks for a later batch.
	deferred []foldTask
	clocks   clocks
	// noClicksBefore is when the leader may wait for clicks again.
	noClicksBefore time.Time

	warnUnread, warnAbsent, warnGivenUp, warnDamagedSeen rate.Sometimes
}

// runFolding folds what the replicas saw until ctx ends.
func (r *Recorder) runFolding(ctx context.Context) {
	r.dropTasks()
	var deferred []foldTask
	for ctx.Err() == nil {
		f := &folding{
			Recorder: r, deferred: deferred, messages: make(chan *seenMessage, readAhead), lastK: map[string]uint64{},
			reached: map[string]time.Time{}, clocks: clocks{},
			warnUnread: rate.Sometimes{Interval: time.Minute}, warnAbsent: rate.Sometimes{Interval: time.Minute},
			warnGivenUp: rate.Sometimes{Interval: time.Minute}, warnDamagedSeen: rate.Sometimes{Interval: time.Minute},
		}
		f.run(ctx)
		deferred = f.deferred
		sleep(ctx, readPause) // until it leads no more, or the store can be written again
	}
}

// run folds until ctx ends or the store takes no more.
func (f *folding) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	folded, err := f.begin(ctx)
	if err != nil {
		return
	}
	f.floor.Store(folded)
	running.Go(func() {
		f.read(ctx, folded)
		cancel() // begins again, if the servers have lost what was seen
	})
	running.Go(func() { f.dropFolded(ctx) })
	running.Go(func() { f.watchUnfolded(ctx) })
	running.Go(func() { f.keepHeard(ctx) })
	for f.step(ctx) == nil {
	}
}

// step folds one batch.
func (f *folding) step(ctx context.Context) error {
	tasks, err := f.await(ctx)
	if err != nil {
		f.deferred = tasks
		return err
	}
	b := f.newBatch(tasks)
	if err = b.gather(ctx); err == nil {
		err = b.fold(ctx)
	}
	if err != nil {
		f.deferred = tasks
	}
	return err
}

// dropTasks drops what was left of an earlier term.
func (r *Recorder) dropTasks() {
	for {
		select {
		case <-r.tasks:
		default:
			return
		}
	}
}

// await waits until there is something to do, and returns the tasks, also with an error.
func (f *folding) await(ctx context.Context) (tasks []foldTask, err error) {
	tasks, f.deferred = f.deferred, nil
	if f.receiveAll(); len(f.list) == 0 && len(tasks) == 0 {
		select {
		case one := <-f.messages:
			f.receive(one)
			f.receiveAll()
		case task := <-f.tasks:
			tasks = append(tasks, task)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	for len(tasks) < maxTasks {
		select {
		case task := <-f.tasks:
			tasks = append(tasks, task)
		default:
			return tasks, ctx.Err()
		}
	}
	return tasks, ctx.Err()
}

// dropFolded drops what was folded from what was seen, once in a while.
func (f *folding) dropFolded(ctx context.Context) {
	ticker := time.NewTicker(dropEvery)
	defer ticker.Stop()
	for dropped := uint64(0); ; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		floor := f.floor.Load()
		if floor == dropped {
			continue
		}
		if f.drop(ctx, floor) == nil {
			dropped = floor
		}
	}
}

// drop drops the messages up to a number, unless the servers have lost them and count anew.
func (f *folding) drop(ctx context.Context, upTo uint64) error {
	ctx, cancel := context.WithTimeout(ctx, dropTimeout)
	defer cancel()
	if last, err := f.replicas.Link.LastSeen(ctx); err != nil || last < upTo {
		return err
	}
	return f.replicas.Link.DropSeen(ctx, upTo)
}

// whenFolded has a task done once everything is folded that its participants did
// before. It returns false if ctx ends first.
func (r *Recorder) whenFolded(ctx context.Context, task foldTask) bool {
	if task.at.IsZero() {
		task.at = r.now()
	}
	select {
	case r.tasks <- task:
		return true
	case <-ctx.Done():
		return false
	}
}

// participantsOf returns those of journeys, each once.
func participantsOf(keys []rules.Key) (participants []string) {
	known := map[string]bool{}
	for _, key := range keys {
		if !known[key.Participant] {
			known[key.Participant] = true
			participants = append(participants, key.Participant)
		}
	}
	return participants
}
