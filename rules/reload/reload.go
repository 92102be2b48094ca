// Package reload makes a changed configuration file count while the process runs.
package reload

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/rules"

	"github.com/sidehook/sidehook/rules/config"
)

// Options are what a Reloader needs; all but Delay is required.
type Options struct {
	// Path of the configuration file, and Config, what it said at the start.
	Path   string
	Config *config.Config
	// Apply makes a configuration count. When it fails nothing has changed.
	Apply func(*config.Config) error
	// Hangups are the signals that ask for a reload.
	Hangups <-chan os.Signal
	Metrics prometheus.Registerer
	Logger  *slog.Logger
	// Delay is how long files may go on changing before they are read; 0 means 100ms.
	Delay time.Duration
}

// Reloader reads the configuration again when it is asked to, or when its file
// or one that it refers to has changed.
type Reloader struct {
	options Options
	config  *config.Config
	metrics metrics
}

// New makes a Reloader that does nothing yet.
func New(o Options) *Reloader {
	r := &Reloader{options: o, config: o.Config, metrics: newMetrics(o.Metrics)}
	r.metrics.reloaded(true)
	return r
}

// Run reloads until ctx ends. Where files can't be watched, it says so, and
// Hangups still count.
func (r *Reloader) Run(ctx context.Context) error {
	w := newWatcher(r.options.Delay, r.options.Logger)
	watching, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); w.run(watching) }()
	defer func() { stop(); <-done }()
	w.watch(r.files())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.options.Hangups:
			r.reload(true)
		case <-w.changed:
			r.reload(false)
		}
		w.watch(r.files())
	}
}

// reload does all that can fail before it touches what runs. Somebody who asked
// is told too that nothing has changed.
func (r *Reloader) reload(asked bool) {
	log := r.options.Logger.With("file", r.options.Path)
	next, err := r.load()
	if err != nil {
		r.metrics.reloaded(false)
		log.Error("the configuration is not reloaded, the one from before goes on", "error", err)
		return
	}
	updated, changes := r.config.Update(next)
	if len(changes.Live) > 0 {
		if err := r.options.Apply(updated); err != nil {
			r.metrics.reloaded(false)
			log.Error("the configuration is not reloaded, the one from before goes on", "error", err)
			return
		}
	}
	r.config = updated
	r.metrics.reloaded(true)
	if asked || !changes.None() {
		log.Info("the configuration is reloaded", "changes", shown(changes.Live))
	}
	if len(changes.Restart) > 0 {
		log.Warn("some keys of the configuration have changed that count only from the next start on; their old values go on", "keys", changes.Restart)
	}
}

// load reads the configuration and its profile: a file that would not start the
// process does not change it either.
func (r *Reloader) load() (*config.Config, error) {
	next, err := config.Load(r.options.Path)
	if err != nil {
		return nil, err
	}
	_, err = rules.LoadProfile(next.Profile)
	return next, err
}

// files are those whose change may change the configuration.
func (r *Reloader) files() []string {
	return append(slices.Sorted(maps.Keys(r.config.Files)), r.options.Path)
}

// maxShown bounds the length of a log line.
const maxShown = 20

func shown(changes []string) []string {
	switch {
	case len(changes) == 0:
		return []string{"none"}
	case len(changes) > maxShown:
		return append(slices.Clone(changes[:maxShown]), "and more")
	}
	return changes
}
