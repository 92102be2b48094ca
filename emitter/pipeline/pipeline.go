package pipeline

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// Options are what a Pipeline needs. Config, Profile, NewSender and Logger are required.
type Options struct {
	Config  *config.Config
	Profile *rules.Profile
	// App is asked for its release and for what participants did before; nil means that
	// nobody asks.
	App record.AppReader
	// NewSender returns the sender of a target.
	NewSender func(name string, target config.Target) (deliver.Sender, error)
	// Shared is what this replica shares with others, and is not closed; nil means what
	// Config.Replicas tells, if that is set.
	Shared Shared
	// Extra returns what the other replicas are told about this one; it may be nil.
	Extra func() []byte
	// Activity is where events and attempts are noted; nil means nowhere.
	Activity *live.Activity
	// Metrics is where the parts register theirs; nil means nowhere.
	Metrics prometheus.Registerer
	Logger  *slog.Logger
	// Digest returns what stands for a participant in log lines; nil means nothing.
	Digest func(participant string) string
}

// Pipeline is what an event passes from the exchange to its targets.
type Pipeline struct {
	Store      *outbox.Store
	Recorder   *record.Recorder
	Dispatcher *deliver.Dispatcher
	// Replicas are the others in front of the same app; nil for a single one.
	Replicas *Replicas

	log     *slog.Logger
	running []running // in the order of the start
}

// New builds all parts and starts none. With replicas, it begins to connect to what they
// share, which goes on in the background; Stop ends that, too.
func New(o Options) (*Pipeline, error) {
	p := &Pipeline{log: o.Logger}
	store := outbox.Options{Dir: o.Config.State, Retention: o.Config.Retention, Logger: o.Logger, Metrics: o.Metrics}
	recorder := record.Options{
		Profile: o.Profile, Config: o.Config, App: o.App, Activity: o.Activity,
		Metrics: o.Metrics, Logger: o.Logger, Digest: o.Digest,
	}
	dispatcher := deliver.Options{NewSender: o.NewSender, Activity: o.Activity, Metrics: o.Metrics, Logger: o.Logger}
	replicas, err := newReplicas(o)
	if err != nil {
		return nil, err
	}
	if replicas != nil {
		p.Replicas = replicas
		store.Log, store.Incarnation = replicas.shared, replicas.Seer.Incarnation()
		recorder.Replicas = &record.Replicas{Seer: replicas.Seer, Link: replicas.shared, Roster: replicas.Roster}
		recorder.Now = replicas.Roster.Now
	}
	p.Store = outbox.New(store)
	recorder.Store, dispatcher.Store = p.Store, p.Store
	if replicas != nil {
		dispatcher.MayAct = p.Store.Leads
	}
	p.Recorder = record.New(recorder)
	p.Dispatcher = deliver.New(dispatcher)
	if err := p.Dispatcher.Apply(o.Config.Targets); err != nil {
		replicas.close()
		return nil, err
	}
	return p, nil
}

// Apply puts those keys of a changed configuration into effect that need no restart.
// When it fails, nothing has changed.
func (p *Pipeline) Apply(cfg *config.Config) error {
	if err := p.Dispatcher.Apply(cfg.Targets); err != nil {
		return err
	}
	p.Recorder.Apply(cfg)
	return nil
}

// term does what only a replica that leads does, until ctx ends.
func (p *Pipeline) term(ctx context.Context) {
	stop := Background(func(error) {}, p.Dispatcher.Run) // which returns no error
	p.Recorder.Run(ctx)
	_ = stop()
}
