// Command sidehook adds webhooks to a survey app that you cannot change. It runs in
// front of the app, passes every byte through, and sends webhooks about page
// navigation and completion to the targets of one YAML file.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/admin/cli"
	"github.com/sidehook/sidehook/emitter/admin/console"
	"github.com/sidehook/sidehook/emitter/admin/logs"
	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/pipeline"
	"github.com/sidehook/sidehook/emitter/probe"
	"github.com/sidehook/sidehook/emitter/receive"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/emitter/sample"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/proxy"
	"github.com/sidehook/sidehook/proxy/demo"
	"github.com/sidehook/sidehook/proxy/descriptors"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/check"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/draft"
	"github.com/sidehook/sidehook/rules/profiles"
	"github.com/sidehook/sidehook/rules/reload"
	"github.com/sidehook/sidehook/rules/setup"
	"github.com/sidehook/sidehook/rules/trial"
)

// version is the release, where the linker sets it; otherwise it is read from
// the build info.
var version string

// maxTriedBodies is how many bytes a HAR file that is tried with the console may come
// to, in the memory that participants use.
const maxTriedBodies = 32 << 20

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run runs a command line and returns the exit code of the process.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal starts the drain; the second one kills, as it does by default.
	context.AfterFunc(ctx, stop)

	log.SetOutput(io.Discard) // net/http quotes there what peers have sent, which may be a participant's answer
	return cli.Execute(ctx, newRoot(), args, cli.Streams{In: stdin, Out: stdout, Err: stderr})
}

// newRoot assembles the commands.
func newRoot() *cobra.Command {
	root := runCommand()
	root.Use = "sidehook"
	root.Short = "Add webhooks to a survey app that you cannot change"
	root.Long = `sidehook adds webhooks to a survey app that you cannot change. It runs in front
of the app, passes every byte through, and sends signed webhooks about page
navigation and completion to the targets of one YAML file.

Without a command it runs, as "sidehook run" does.

Exit codes: 0, 1 for a failure, 2 for a wrong command line, and 3 where
"sidehook forget" finds nothing to erase.`
	root.Example = `  sidehook demo
  sidehook check config.yaml
  sidehook run config.yaml
  sidehook targets`
	build := cli.ReadBuild(version)
	root.Version = build.String()
	root.AddGroup(&cobra.Group{ID: "run", Title: "Run sidehook:"}, &cobra.Group{ID: "receive", Title: "Develop a receiver:"}, &cobra.Group{ID: "operate", Title: "Operate a running sidehook:"})
	inspect := probe.Replicas(pipeline.JetStream)
	add(root, "run", setup.Command(getFromApp), runCommand(), check.Command(cli.CheckState, probe.Prober(build.Version, newReader, inspect), inspect), trial.Command(record.Preview), profiles.Command(), draft.Command(), demo.Command(demo.Parts{Run: runDemo, NewReceiver: newDemoReceiver}))
	add(root, "receive", sample.Command(build.Version), receive.Command())
	add(root, "operate", cli.Commands()...)
	add(root, "", cli.VersionCommand(build))
	return root
}

func add(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, command := range commands {
		command.GroupID = group
		root.AddCommand(command)
	}
}

// newReader returns what `sidehook check --probe` asks the app through.
func newReader(c *config.Config) (probe.App, error) {
	settings, err := send.ClientTLS(c.AppTLS, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return proxy.NewReader(c.App, settings, int(c.InspectLimit))
}

// runCommand returns the command `sidehook run`.
func runCommand() *cobra.Command {
	var path string
	run := &cobra.Command{
		Use:   "run [CONFIG]",
		Short: "Run in front of the app",
		Long: `Run in front of the app, with a configuration: config.yaml in the current folder
unless another file is named. It ends on Ctrl-C, once the requests in flight
have ended, or on SIGTERM, drain_delay later, within stop_timeout. It reloads
the configuration on SIGHUP.`,
		Example: `  sidehook run config.yaml
  sidehook run --config /etc/sidehook/config.yaml`,
		SuggestFor: []string{"start", "serve", "up"},
		Args: func(cmd *cobra.Command, args []string) error {
			isNamed := cmd.Flags().Changed("config")
			if len(args) > 1 || len(args) == 1 && isNamed {
				return errors.New("name one configuration: as an argument, or with --config")
			}
			if _, err := os.Stat(path); len(args) == 0 && !isNamed && errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("no %s here: name a configuration (sidehook run CONFIG), or try sidehook demo", path)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				path = args[0]
			}
			return runSidecar(cmd.Context(), path, cmd.ErrOrStderr())
		},
	}
	run.Flags().StringVar(&path, "config", "config.yaml", "configuration `file`")
	return run
}

func runSidecar(ctx context.Context, path string, stderr io.Writer) error {
	// A log whose reader is gone must not end the process.
	signal.Ignore(syscall.SIGPIPE)
	defer signal.Reset(syscall.SIGPIPE)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	cfg, err := config.Load(path)
	if err != nil {
		return err
	}
	limitMemory(cfg)
	lines := logs.New(stderr)
	defer lines.Close()
	lines.Apply(cfg.Log)
	s, err := newSidecar(path, cfg, lines)
	if err != nil {
		return err
	}
	reloader := reload.New(reload.Options{
		Path: path, Config: cfg, Apply: s.apply, Hangups: hangups, Metrics: s.metrics, Logger: s.logger,
	})
	s.reload, s.reloaded = reloader.Run, reloader.Last
	return s.run(ctx, context.Background())
}

// limitMemory has the garbage collector keep the process within what its limits
// allow, and so within a container of 256 MiB by default, or within a smaller one.
// What they bound would otherwise take twice as much until it is collected.
func limitMemory(cfg *config.Config) {
	const others = 116 << 20 // queues, overlays of the store and connections, all of which are bounded
	if _, isSet := os.LookupEnv("GOMEMLIMIT"); !isSet {
		debug.SetMemoryLimit(min(others+int64(cfg.Limits.WatchedBodies), descriptors.Memory()/10*9))
	}
}

// runDemo runs the sidecar of the demo.
func runDemo(ctx, abort context.Context, d demo.Sidecar) error {
	lines := logs.New(d.Log)
	defer lines.Close()
	lines.Apply(config.Log{Level: config.LogWarn})
	s, err := newSidecar("", d.Config, lines)
	if err != nil {
		return err
	}
	s.serving = func() { d.Serving(s.proxy.Addr(), s.admin.Addr()) }
	return s.run(ctx, abort)
}

// getFromApp requests a path of an app, which has no configuration yet.
func getFromApp(ctx context.Context, app, path string) (status int, contentType string, body []byte, err error) {
	const longest = 1 << 20 // of its body, in bytes
	reader, err := proxy.NewReader(app, &tls.Config{MinVersion: tls.VersionTLS12}, longest)
	if err != nil {
		return 0, "", nil, err
	}
	return reader.Get(ctx, "", path)
}

// newDemoReceiver returns the receiver of the demo.
func newDemoReceiver(r demo.Reception) http.Handler {
	return &receive.Receiver{Secret: r.Secret, Out: r.Out, HasBodies: r.HasBodies, Received: r.Received}
}

// sidecar is the running program: its parts, and the order in which they start and stop.
type sidecar struct {
	logger   *slog.Logger
	lines    *logs.Log
	pipeline *pipeline.Pipeline
	proxy    *proxy.Proxy
	admin    *admin.Admin
	metrics  *prometheus.Registry
	// drainDelay and stopTimeout are those of the configuration.
	drainDelay, stopTimeout time.Duration
	// reload applies changes of the configuration until its context ends; it does
	// nothing where there is no file.
	reload func(context.Context) error
	// reloaded returns the outcome of the last reload.
	reloaded func() reload.Outcome
	// serving is called once participants are served.
	serving func()
}

// newSidecar builds all parts and starts none. file is the path of the configuration,
// empty if there is none.
func newSidecar(file string, cfg *config.Config, lines *logs.Log) (*sidecar, error) {
	logger := lines.Logger
	profile, err := rules.LoadProfile(cfg.Profile)
	if err != nil {
		return nil, err
	}
	set := admin.NewRegistry(cli.ReadBuild(version).Version)
	lines.Register(set)
	logger.Info("starting", "version", cli.ReadBuild(version).Version, "config", file, "profile", cfg.Profile, "app", cfg.App,
		"targets", slices.Sorted(maps.Keys(cfg.Targets)), "state", cfg.State)
	digest := logs.NewDigest()
	s := &sidecar{logger: logger, lines: lines, metrics: set, drainDelay: time.Duration(cfg.DrainDelay), stopTimeout: time.Duration(cfg.StopTimeout), reload: func(context.Context) error { return nil }, reloaded: func() reload.Outcome { return reload.Outcome{} }}
	activity := live.New()
	s.serving = func() {
		logger.Info("serving participants", "address", s.proxy.Addr().String(), "admin", s.admin.Addr().String())
	}
	appTLS, err := send.ClientTLS(cfg.AppTLS, logger.With("app", cfg.App))
	if err != nil {
		return nil, err
	}
	reader, err := proxy.NewReader(cfg.App, appTLS, int(cfg.InspectLimit))
	if err != nil {
		return nil, err
	}
	release := cli.ReadBuild(version).Version
	s.pipeline, err = pipeline.New(pipeline.Options{
		Config: cfg, Profile: profile, App: reader, NewSender: func(name string, target config.Target) (deliver.Sender, error) {
			return send.New(send.Options{Name: name, Target: target, Version: cli.ReadBuild(version).Version, Logger: logger})
		}, Activity: activity, Metrics: set, Logger: logger, Digest: digest.Of,
		Extra: func() []byte {
			return admin.Hello(release, s.pipeline.Store.Replica, s.pipeline.Replicas.Seer.Status)()
		},
	})
	if err != nil {
		return nil, err
	}
	if err := s.newListeners(file, cfg, profile, appTLS, activity, digest); err != nil {
		s.pipeline.Stop()
		return nil, err
	}
	return s, nil
}

// newListeners builds what participants and operators connect to.
func (s *sidecar) newListeners(file string, cfg *config.Config, profile *rules.Profile, appTLS *tls.Config, activity *live.Activity, digest *logs.Digest) (err error) {
	files := descriptors.Limit()
	connections := descriptors.Divide(files, debug.SetMemoryLimit(-1), cfg.Targets)
	if connections.Participants < descriptors.MaxParticipants {
		s.logger.Warn("fewer participants can be connected than usual: the limit of open files or of memory is low",
			"limit", files, "memory", debug.SetMemoryLimit(-1), "connections", connections.Participants)
	}
	requestHeader, responseHeader := profile.Headers()
	s.proxy, err = proxy.New(proxy.Config{
		Listen: cfg.Listen, Concurrency: connections.Participants, App: cfg.App, AppTLS: appTLS,
		Forwarded: cfg.Forwarded, TrustedProxies: cfg.TrustedProxies, ProxyProtocol: cfg.ProxyProtocol,
		Upgrades: cfg.Upgrades, ErrorPage: cfg.ErrorPageContent, ResponseTimeout: time.Duration(cfg.ResponseTimeout),
		Watcher: s.pipeline.Recorder, WatchedRequestHeader: requestHeader, WatchedResponseHeader: responseHeader,
		InspectLimit: int(cfg.InspectLimit), WatchedBodies: int(cfg.Limits.WatchedBodies),
		RequestID: cfg.RequestID, ShowPath: func(target []byte) string { return profile.ShownPath(target, digest.Of) },
		Metrics: s.metrics, Logger: s.logger,
	})
	if err != nil {
		return err
	}
	s.proxy.LogAccess(cfg.Log.Access)
	s.admin = admin.New(admin.Config{
		Listen: cfg.Admin, Connections: connections.Admin, Ready: s.proxy.Ready, Metrics: s.metrics,
		Store: s.pipeline.Store, Targets: s.pipeline.Dispatcher.Status, MayMove: s.pipeline.Recorder.MayMove, Forget: s.pipeline.Recorder.Forget, Logger: s.logger,
		Activity: activity, Version: cli.ReadBuild(version).Version, File: file, Console: console.New,
		Reloaded: func() reload.Outcome { return s.reloaded() }, Replicas: s.replicas(cfg.Replicas),
		Warnings: func(c *config.Config) []string { return check.Warnings(c, profile) },
		Try: func(ctx context.Context, c *config.Config, har io.Reader, report io.Writer) error {
			return trial.Try(trial.Options{
				Profile: profile, Config: c, Preview: record.Preview(c),
				MaxBodies: maxTriedBodies, Stopped: func() bool { return ctx.Err() != nil },
			}, har, report)
		},
	})
	s.admin.Apply(cfg)
	return nil
}

// replicas returns what operators see of the other replicas, nil for a single sidehook.
func (s *sidecar) replicas(c *config.Replicas) *admin.Replicas {
	others := s.pipeline.Replicas
	if c == nil || others == nil {
		return nil
	}
	return &admin.Replicas{App: c.App, Name: c.Name, Link: others.Link(), Present: others.Roster.Present, Seed: s.pipeline.Store.Seed}
}

// apply puts those keys of a changed configuration into effect that need no restart.
// When it fails, nothing has changed.
func (s *sidecar) apply(cfg *config.Config) error {
	if err := s.pipeline.Apply(cfg); err != nil {
		return err
	}
	s.admin.Apply(cfg)
	s.proxy.LogAccess(cfg.Log.Access)
	s.lines.Apply(cfg.Log)
	return nil
}

// run serves until ctx ends or a listener fails. Then it stops in the order in
// which an event travels, so that every observation is recorded, and so is the
// outcome of every attempt. Requests in flight are cut off when abort ends.
func (s *sidecar) run(ctx, abort context.Context) error {
	if err := errors.Join(s.proxy.Listen(), s.admin.Listen()); err != nil {
		s.pipeline.Stop()
		return err
	}
	failed, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s.pipeline.Start(ctx, fail)
	stopAdmin := pipeline.Background(fail, func(context.Context) error { return s.admin.Serve() })
	stopProxy := pipeline.Background(fail, func(context.Context) error { return s.proxy.Serve() })
	stopReload := pipeline.Background(fail, s.reload)
	s.serving()

	<-failed.Done()
	drain, cancel := context.WithTimeout(abort, s.stopTimeout-time.Duration(config.MinStop))
	defer cancel()
	_ = stopReload()
	s.admin.Drain()
	s.proxy.Drain()
	if isTerminated(failed) {
		s.awaitWithdrawal(drain)
	}
	s.logger.Info("stopping, draining requests in flight", "stop_timeout", s.stopTimeout)
	if err := s.proxy.Shutdown(drain); err != nil {
		s.logger.Warn("requests in flight were cut off", "error", err)
	}
	_ = stopProxy()
	s.pipeline.Stop()
	if err := s.admin.Shutdown(drain); err != nil {
		s.logger.Warn("admin requests in flight were cut off", "error", err)
	}
	_ = stopAdmin()
	if ctx.Err() == nil {
		return context.Cause(failed)
	}
	return nil
}

// isTerminated reports whether it was SIGTERM that ended a context, rather than
// Ctrl-C or a failure: a signal is known by its name only.
func isTerminated(ctx context.Context) bool {
	return strings.HasPrefix(context.Cause(ctx).Error(), syscall.SIGTERM.String())
}

// awaitWithdrawal goes on serving for a while, so that a load balancer can take the
// process out: it may send participants here until it has.
func (s *sidecar) awaitWithdrawal(ctx context.Context) {
	if s.drainDelay == 0 {
		return
	}
	s.logger.Info("stopping, not ready any more, but still serving", "drain_delay", s.drainDelay)
	select {
	case <-time.After(s.drainDelay):
	case <-ctx.Done():
	}
}
