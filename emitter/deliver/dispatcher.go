package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

// Sender makes one attempt of a delivery, signed as of at. It returns soon after
// ctx has ended, with the outcome send.Ours. It may be called concurrently.
type Sender interface {
	Send(ctx context.Context, d *outbox.Delivery, at time.Time) send.Result
}

// Options configure a Dispatcher; all but MayAct, Activity and Metrics are required.
type Options struct {
	Store *outbox.Store
	// NewSender returns the sender of a target.
	NewSender func(name string, target config.Target) (Sender, error)
	// MayAct reports whether an attempt may begin now; nil means always. Where it may
	// not, deliveries wait.
	MayAct func() bool
	// Activity is where attempts are noted; nil means nowhere.
	Activity *live.Activity
	// Metrics registers the metrics of targets; nil means nowhere.
	Metrics prometheus.Registerer
	Logger  *slog.Logger
}

// Dispatcher takes deliveries from the outbox to their targets, with a queue for
// each target that knows nothing of the others.
type Dispatcher struct {
	options Options
	metrics *targetMetrics

	mu     sync.Mutex
	queues map[string]*queue
	// destinations are those of the last Apply.
	destinations map[string]destination
	// ctx is the context of Run, nil while it does not run.
	ctx context.Context
	// stopped is set once nothing more may be started.
	stopped bool
	running sync.WaitGroup
}

// New returns a Dispatcher without targets, which Apply gives it.
func New(o Options) *Dispatcher {
	if o.MayAct == nil {
		o.MayAct = func() bool { return true }
	}
	d := &Dispatcher{options: o, metrics: newTargetMetrics(o.Metrics), queues: map[string]*queue{}, destinations: map[string]destination{}}
	if o.Metrics != nil {
		o.Metrics.MustRegister(statusCollector(d.statusToCollect))
	}
	return d
}

// Apply replaces the targets, before Run or while it runs. Attempts in flight to a
// target that changed end as they began. A target that is the same is left alone,
// and one that is gone keeps its deliveries. If Apply fails, nothing has changed.
func (d *Dispatcher) Apply(targets map[string]config.Target) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	senders, err := d.newSenders(targets)
	if err != nil {
		return err
	}
	for name, q := range d.queues {
		if _, stays := targets[name]; !stays {
			d.remove(name, q)
		}
	}
	for name, sender := range senders {
		d.set(name, destination{target: targets[name], sender: sender})
	}
	return nil
}

// newSenders returns the senders of those targets that are new or have changed.
func (d *Dispatcher) newSenders(targets map[string]config.Target) (map[string]Sender, error) {
	senders := map[string]Sender{}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		if before, known := d.destinations[name]; known && reflect.DeepEqual(before.target, targets[name]) {
			continue
		}
		sender, err := d.options.NewSender(name, targets[name])
		if err != nil {
			problems = append(problems, fmt.Errorf("cannot send to target %s: %w", name, err))
		}
		senders[name] = sender
	}
	return senders, errors.Join(problems...)
}

// set gives a target's queue its destination, and starts one if there is none.
func (d *Dispatcher) set(name string, to destination) {
	d.destinations[name] = to
	old := d.queues[name]
	if d.ctx != nil && old != nil && old.change(to) {
		return
	}
	q := newQueue(name, to, d.options, d.metrics.of(name))
	if d.ctx != nil && old != nil {
		// Two queues of one target would send everything twice.
		q.predecessor = old.ended
	}
	d.queues[name] = q
	if d.ctx != nil && !d.stopped {
		d.start(q)
	}
}

// remove ends a queue. It stays known until another takes its name, which has to
// wait for its end.
func (d *Dispatcher) remove(name string, q *queue) {
	d.metrics.forget(name)
	delete(d.destinations, name)
	if d.ctx == nil {
		delete(d.queues, name)
		return
	}
	q.remove()
}

func (d *Dispatcher) start(q *queue) {
	ctx := d.ctx
	d.running.Go(func() { q.run(ctx) })
}

// Run sends until ctx ends. Then it starts no new attempts, gives those in flight
// a short time to end, and returns once their results are on disk. It may be called
// again after it has returned, and then begins as in a new process.
func (d *Dispatcher) Run(ctx context.Context) error {
	d.mu.Lock()
	d.ctx = ctx
	for _, q := range d.queues {
		d.start(q)
	}
	d.mu.Unlock()
	<-ctx.Done()
	d.mu.Lock()
	d.stopped = true
	d.mu.Unlock()
	d.running.Wait()
	d.renew()
	return nil
}

// renew gives each target a queue that knows nothing.
func (d *Dispatcher) renew() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ctx, d.stopped = nil, false
	clear(d.queues)
	for name, to := range d.destinations {
		d.queues[name] = newQueue(name, to, d.options, d.metrics.of(name))
	}
}

// Status returns how each target is doing, sorted by name.
func (d *Dispatcher) Status() []TargetStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []TargetStatus
	for _, name := range slices.Sorted(maps.Keys(d.queues)) {
		if q := d.queues[name]; !q.isRemoved() {
			all = append(all, q.status())
		}
	}
	return all
}

// statusToCollect is Status where deliveries may be sent, and nothing elsewhere: the
// same deliveries would be counted at each replica.
func (d *Dispatcher) statusToCollect() []TargetStatus {
	if !d.options.MayAct() {
		return nil
	}
	return d.Status()
}
