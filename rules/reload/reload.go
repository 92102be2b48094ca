package reload

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// Options configure a Reloader. All but Delay are required.
type Options struct {
	// Path is that of the configuration file, Config what was loaded from it at the start.
	Path   string
	Config *config.Config
	// Apply lets a configuration take effect. When it returns an error it has changed nothing.
	Apply func(*config.Config) error
	// Hangups delivers the signals that ask for a reload.
	Hangups <-chan os.Signal
	Metrics prometheus.Registerer
	Logger  *slog.Logger
	// Delay is how long to wait for further changes before a changed file is read; 0 means 100ms.
	Delay time.Duration
}

// Reloader reloads the configuration on a signal, and when its file or a file that
// it refers to has changed. It is not safe for concurrent use.
type Reloader struct {
	options Options
	config  *config.Config
	metrics metrics
	// files are those whose change may change the configuration: its own, and
	// those that it referred to when it was last read, successfully or not.
	files []string
	// logged is the last failure, or the keys that need a restart.
	logged string
	last   atomic.Pointer[Outcome]
	// hasFailed is set from a failed reload until one succeeds.
	hasFailed bool
}

// Outcome is that of a reload.
type Outcome struct {
	At time.Time
	// Trigger is what caused it.
	Trigger string
	// Changes took effect; Restart are keys whose change takes effect after a restart.
	Changes, Restart []string
	// Error is why nothing has changed, empty if it has.
	Error string
}

// New returns a Reloader that does nothing until Run.
func New(o Options) *Reloader {
	r := &Reloader{options: o, config: o.Config, metrics: newMetrics(o.Metrics)}
	r.files = append(referredFiles(o.Config, nil), o.Path)
	r.metrics.reloaded(true)
	return r
}

// Last returns the outcome of the last reload, zero before the first. It is safe for
// concurrent use.
func (r *Reloader) Last() Outcome {
	if last := r.last.Load(); last != nil {
		return *last
	}
	return Outcome{}
}

// Run reloads until ctx ends. Where files cannot be watched it logs that, and
// Hangups still work.
func (r *Reloader) Run(ctx context.Context) error {
	w := newWatcher(r.options.Delay, r.options.Logger)
	watching, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); w.run(watching) }()
	defer func() { stop(); <-done }()
	for {
		for ctx.Err() == nil && w.watch(r.files) {
			r.reload(newlyWatched)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.options.Hangups:
			r.reload(signal)
		case <-w.changed:
			r.reload(fileChange)
		}
	}
}

// reload does everything that can fail before it touches what runs.
func (r *Reloader) reload(by trigger) {
	log := r.options.Logger.With("file", r.options.Path, "trigger", by)
	next, err := r.load()
	r.files = append(referredFiles(next, err), r.options.Path)
	if err == nil {
		err = r.apply(log, next, by)
	}
	if err == nil {
		return
	}
	r.hasFailed = true
	r.last.Store(&Outcome{At: time.Now(), Trigger: by.String(), Error: err.Error()})
	r.metrics.reloaded(false)
	if r.noteLogged(by, err.Error()) {
		log.Error("configuration not reloaded; keeping the current one", "error", err)
	}
}

// load reads the configuration and its profile: a file that would not start the
// process does not change a running one either.
func (r *Reloader) load() (*config.Config, error) {
	next, err := config.Load(r.options.Path)
	if err != nil {
		return nil, err
	}
	_, err = rules.LoadProfile(next.Profile)
	return next, err
}

// apply lets the changes take effect. The log has a line for a signal, and for the
// first reload after one that failed, even when nothing has changed.
func (r *Reloader) apply(log *slog.Logger, next *config.Config, by trigger) error {
	updated, changes := r.config.Update(next)
	if len(changes.Live) > 0 {
		if err := r.options.Apply(updated); err != nil {
			return err
		}
	}
	r.config = updated
	if isNothing := by == newlyWatched && len(changes.Live) == 0 && !r.hasFailed; !isNothing {
		r.last.Store(&Outcome{At: time.Now(), Trigger: by.String(), Changes: changes.Live, Restart: changes.Restart})
	}
	r.metrics.reloaded(true)
	if by == signal || len(changes.Live) > 0 || r.hasFailed {
		log.Info("configuration reloaded", "changes", shown(changes.Live))
	}
	r.hasFailed = false
	isNews := r.noteLogged(by, strings.Join(changes.Restart, ", "))
	if len(changes.Restart) > 0 && isNews {
		log.Warn("changed keys take effect only after a restart; keeping their current values", "keys", changes.Restart)
	}
	return nil
}

// noteLogged reports whether text is worth logging: the second reading of newly
// watched files mostly finds what the first has found.
func (r *Reloader) noteLogged(by trigger, text string) (isNews bool) {
	isNews = by != newlyWatched || text != r.logged
	r.logged = text
	return isNews
}

// referredFiles returns the files that a configuration refers to. One that was
// refused for a file that is missing or wrong must be read again when that file changes.
func referredFiles(next *config.Config, err error) []string {
	var refused *config.Error
	switch {
	case next != nil:
		return slices.Sorted(maps.Keys(next.Files))
	case errors.As(err, &refused):
		return refused.Files
	}
	return nil
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
