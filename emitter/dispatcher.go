package emitter

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

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// sender makes one attempt of a delivery, at the moment at. It returns soon
// after ctx has ended, with the outcome Ours.
type sender interface {
	Send(ctx context.Context, d *outbox.Delivery, at time.Time) Result
}

// DispatcherOptions are what a Dispatcher needs; all but Metrics is required.
type DispatcherOptions struct {
	Store *outbox.Store
	// NewSender makes the sender of a target.
	NewSender func(name string, target rules.Target) (sender, error)
	// Metrics is where the metrics of targets are registered; nil means nowhere.
	Metrics prometheus.Registerer
	Logger  *slog.Logger
}

// Dispatcher takes deliveries from the outbox to their targets, with a queue for
// each target that knows nothing of the others.
type Dispatcher struct {
	options DispatcherOptions
	metrics *targetMetrics

	mu     sync.Mutex
	queues map[string]*queue
	// targets are those of the last Apply.
	targets map[string]rules.Target
	// ctx is what Run was given, nil before; ended tells that it starts nothing more.
	ctx     context.Context
	ended   bool
	running sync.WaitGroup
}

// NewDispatcher makes a Dispatcher without targets: Apply gives it some.
func NewDispatcher(o DispatcherOptions) *Dispatcher {
	d := &Dispatcher{options: o, metrics: newTargetMetrics(o.Metrics), queues: map[string]*queue{}}
	if o.Metrics != nil {
		o.Metrics.MustRegister(statusCollector(d.Status))
	}
	return d
}

// Apply makes these the targets, before Run or while it runs. What is being sent
// to a target that changed is sent to the end as it was, and one that is the same
// is left alone; a target that is no longer there keeps its deliveries. When it
// fails nothing has changed.
func (d *Dispatcher) Apply(targets map[string]rules.Target) error {
	senders := make(map[string]sender, len(targets))
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		made, err := d.options.NewSender(name, targets[name])
		if err != nil {
			problems = append(problems, fmt.Errorf("cannot send to target %s: %w", name, err))
		}
		senders[name] = made
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, q := range d.queues {
		if _, stays := targets[name]; !stays {
			d.remove(name, q)
		}
	}
	for name, target := range targets {
		if before, known := d.targets[name]; !known || !reflect.DeepEqual(before, target) {
			d.set(name, destination{target: target, sender: senders[name]})
		}
	}
	d.targets = maps.Clone(targets)
	return nil
}

// set gives a target's queue its destination, and starts one where there is none.
func (d *Dispatcher) set(name string, to destination) {
	old := d.queues[name]
	if old != nil && old.change(to) {
		return
	}
	q := newQueue(name, to, d.options, d.metrics.of(name))
	if old != nil {
		// Two queues of one target would send everything twice.
		q.after = old.ended
	}
	d.queues[name] = q
	if d.ctx != nil && !d.ended {
		d.start(q)
	}
}

// remove ends a queue. It stays known until another one has its name, which has
// to wait for its end.
func (d *Dispatcher) remove(name string, q *queue) {
	d.metrics.forget(name)
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

// Run sends until ctx ends. Then it starts no new attempts, gives those that are
// under way a short time to end, and returns once what came of them is on disk.
func (d *Dispatcher) Run(ctx context.Context) error {
	d.mu.Lock()
	d.ctx = ctx
	for _, q := range d.queues {
		d.start(q)
	}
	d.mu.Unlock()
	<-ctx.Done()
	d.mu.Lock()
	d.ended = true
	d.mu.Unlock()
	d.running.Wait()
	return nil
}

// Status tells how each target is doing, in the order of their names.
func (d *Dispatcher) Status() []TargetStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []TargetStatus
	for _, name := range slices.Sorted(maps.Keys(d.queues)) {
		if q := d.queues[name]; !q.removed() {
			all = append(all, q.status())
		}
	}
	return all
}
