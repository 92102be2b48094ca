// Command sidehook gives webhooks to a survey app that nobody may change: it
// stands in front of the app, passes every byte through, and tells the targets
// of one YAML file of page navigation and completion.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/proxy"
	"github.com/sidehook/sidehook/proxy/demo"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/reload"

	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/trial"
)

// version is set by the linker.
var version = "dev"

// drainLimit is how long requests in flight get to end once the process is to
// stop; Kubernetes kills after 30 s if nothing else is said.
const drainLimit = 20 * time.Second

// openLimit is how long the first participants wait for the store to open.
const openLimit = 2 * time.Second

const usage = `sidehook gives webhooks to a survey app that nobody may change.

  sidehook -config config.yaml     run in front of the app
  sidehook check config.yaml       tell what is wrong with a configuration, or what it does
  sidehook try session.har [-config config.yaml] [-json]
                                   tell what recorded traffic would come to, without any network
  sidehook demo                    see it at work: a survey app, sidehook and a receiver on loopback
  sidehook health [address]        ask a running sidehook how it is (default 127.0.0.1:9090)
` + admin.Usage + `  sidehook version                 print the version
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal begins the drain; the second one kills, as it does by default.
	context.AfterFunc(ctx, stop)

	command := "run"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	var err error
	switch command {
	case "run":
		err = runSidecar(ctx, args, stderr)
	case "check":
		err = check(args, stdout)
	case "try":
		err = try(args, stdout, stderr)
	case "demo":
		err = demonstrate(ctx, stdout, stderr)
	case "health":
		err = health(ctx, args, stdout)
	case "version":
		fmt.Fprintln(stdout, version)
	case "help":
		fmt.Fprint(stdout, usage)
	default:
		var known bool
		if known, err = admin.Command(ctx, command, args, os.Stdin, stdout, stderr); known {
			break
		}
		err = fmt.Errorf("there is no command %q\n\n%s", command, usage)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 2
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func runSidecar(ctx context.Context, args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("sidehook", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	path := flags.String("config", "config.yaml", "the configuration file")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("cannot do anything with %q\n\n%s", flags.Arg(0), usage)
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	cfg, err := config.Load(*path)
	if err != nil {
		return err
	}
	s, err := newSidecar(cfg, slog.New(slog.NewTextHandler(stderr, nil)))
	if err != nil {
		return err
	}
	s.reload = reload.New(reload.Options{
		Path: *path, Config: cfg, Apply: s.apply, Hangups: hangups, Metrics: s.metrics, Logger: s.logger,
	}).Run
	return s.run(ctx)
}

func check(args []string, stdout io.Writer) error {
	if len(args) != 1 {
		return errors.New("say which file to check: sidehook check config.yaml")
	}
	cfg, err := config.Load(args[0])
	if err != nil {
		return err
	}
	if _, err := rules.LoadProfile(cfg.Profile); err != nil {
		return err
	}
	fmt.Fprint(stdout, cfg.Summary())
	return nil
}

// trialConfig is what a recording is tried with when no configuration is given.
const trialConfig = `
app: http://127.0.0.1:5000
targets: {example: {url: https://example.org, secret: env:NONE, format: standard}}
rules: [{to: [example]}]
`

// try tells what a recording would come to.
func try(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("sidehook try", flag.ContinueOnError)
	flags.SetOutput(stderr)
	path := flags.String("config", "", "the configuration; without it, every event of Decsys is sent in format standard")
	asJSON := flags.Bool("json", false, "print JSON")
	var files []string
	for rest := args; len(rest) > 0; { // flags may stand behind the file too
		if err := flags.Parse(rest); err != nil {
			return flag.ErrHelp
		}
		if rest = flags.Args(); len(rest) > 0 {
			files, rest = append(files, rest[0]), rest[1:]
		}
	}
	if len(files) != 1 {
		return errors.New("say which HAR file to try: sidehook try session.har [-config config.yaml] [-json]")
	}
	tr, err := tryFile(files[0], *path)
	if err != nil {
		return err
	}
	if !*asJSON {
		return tr.WriteText(stdout)
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(tr)
}

func tryFile(har, path string) (*trial.Report, error) {
	cfg, err := loadToTry(path)
	if err != nil {
		return nil, err
	}
	profile, err := rules.LoadProfile(cfg.Profile)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(har)
	if err != nil {
		return nil, fmt.Errorf("cannot open the HAR file: %w", err)
	}
	defer file.Close()
	recorded, omitted, err := trial.ReadHAR(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", har, err)
	}
	options := trial.Options{Profile: profile, Config: cfg, Preview: record.Preview(cfg)}
	return trial.Run(options, recorded, omitted), nil
}

func loadToTry(path string) (*config.Config, error) {
	if path != "" {
		return config.LoadWithoutSecrets(path)
	}
	env := func(string) (string, bool) { return "a secret", true }
	return config.Parse("trial", []byte(trialConfig), env, os.ReadFile)
}

func health(ctx context.Context, args []string, stdout io.Writer) error {
	address := "127.0.0.1:9090"
	if len(args) > 0 {
		address = args[0]
	}
	if err := admin.Health(ctx, address); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "ok")
	return nil
}

// demoConfig is what the demo runs with; it is printed, as a first example.
const demoConfig = `listen: 127.0.0.1:0
admin: localhost:0
app: %s
state: %s
targets:
  receiver:
    url: %s
    secret: env:DEMO_SECRET
rules:
  - to: [receiver]
`

// demonstrate runs a survey app, a sidecar and a receiver until ctx ends.
func demonstrate(ctx context.Context, stdout, stderr io.Writer) error {
	secret := rand.Text()
	app, stopApp, err := serveOnLoopback(demo.New(demo.Options{}))
	if err != nil {
		return err
	}
	defer stopApp()
	receiver, stopReceiver, err := serveOnLoopback(&demo.Receiver{Secret: secret, Out: stdout})
	if err != nil {
		return err
	}
	defer stopReceiver()
	state, err := os.MkdirTemp("", "sidehook-demo-")
	if err != nil {
		return fmt.Errorf("cannot make a folder for the demo: %w", err)
	}
	defer os.RemoveAll(state)

	source := fmt.Sprintf(demoConfig, app, state, receiver)
	env := func(string) (string, bool) { return secret, true }
	cfg, err := config.Parse("demo.yaml", []byte(source), env, os.ReadFile)
	if err != nil {
		return err
	}
	s, err := newSidecar(cfg, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	s.serving = func() {
		fmt.Fprintf(stdout, "A survey app, sidehook and a receiver run with this configuration:\n\n%s\n", source)
		fmt.Fprintf(stdout, "Open http://%s/survey/fzd and take the survey. Ctrl-C stops the demo.\n", s.proxy.Addr())
	}
	return s.run(ctx)
}

// serveOnLoopback serves a handler of the demo at a free port.
func serveOnLoopback(handler http.Handler) (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("cannot listen for the demo: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	wait := background(func(error) {}, func(context.Context) error { return server.Serve(listener) })
	return "http://" + listener.Addr().String(), func() { server.Close(); wait() }, nil
}

// sidecar is the program at work: what is built, and in which order it starts and stops.
type sidecar struct {
	logger     *slog.Logger
	store      *outbox.Store
	recorder   *record.Recorder
	dispatcher *deliver.Dispatcher
	proxy      *proxy.Proxy
	admin      *admin.Admin
	metrics    *prometheus.Registry
	// reload takes over changes of the configuration; it does nothing where there is no file.
	reload func(context.Context) error
	// serving is called once participants are served.
	serving func()
}

// newSidecar builds all parts and starts none.
func newSidecar(cfg *config.Config, logger *slog.Logger) (*sidecar, error) {
	profile, err := rules.LoadProfile(cfg.Profile)
	if err != nil {
		return nil, err
	}
	set := admin.NewRegistry(version)
	s := &sidecar{logger: logger, metrics: set, reload: func(context.Context) error { return nil }}
	s.serving = func() {
		logger.Info("participants are served", "address", s.proxy.Addr().String(), "admin", s.admin.Addr().String())
	}
	s.store = outbox.New(outbox.Options{Dir: cfg.State, Retention: cfg.Retention, Logger: logger, Metrics: set})
	appTLS, err := send.ClientTLS(cfg.AppTLS, logger.With("app", cfg.App))
	if err != nil {
		return nil, err
	}
	reader, err := proxy.NewReader(cfg.App, appTLS, int(cfg.InspectLimit))
	if err != nil {
		return nil, err
	}
	s.recorder = record.New(record.Options{
		Store: s.store, Profile: profile, Config: cfg, App: reader, Metrics: set, Logger: logger,
	})
	s.dispatcher = deliver.New(deliver.Options{
		Store: s.store, NewSender: func(name string, target config.Target) (deliver.Sender, error) {
			return send.New(send.Options{Name: name, Target: target, Version: version, Logger: logger})
		}, Metrics: set, Logger: logger,
	})
	if err := s.dispatcher.Apply(cfg.Targets); err != nil {
		return nil, err
	}
	s.proxy, err = proxy.New(proxy.Config{
		Listen: cfg.Listen, App: cfg.App, AppTLS: appTLS, Forwarded: cfg.Forwarded, TrustedProxies: cfg.TrustedProxies,
		Watcher: s.recorder, InspectLimit: int(cfg.InspectLimit), ResponseTimeout: time.Duration(cfg.ResponseTimeout), Metrics: set, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	s.admin = admin.New(admin.Config{
		Listen: cfg.Admin, Token: cfg.AdminToken, Ready: s.proxy.Ready, Metrics: set,
		Store: s.store, Targets: s.dispatcher.Status, MayMove: s.recorder.MayMove, Forget: s.recorder.Forget, Logger: logger,
	})
	return s, nil
}

// apply makes the targets and rules of a changed configuration count; when it
// fails nothing has changed.
func (s *sidecar) apply(cfg *config.Config) error {
	if err := s.dispatcher.Apply(cfg.Targets); err != nil {
		return err
	}
	s.recorder.Apply(cfg)
	s.admin.SetToken(cfg.AdminToken)
	return nil
}

// run serves until ctx ends or a listener fails. Then it stops in the order in
// which an event travels, so that what was seen is recorded and what was sent
// is written down.
func (s *sidecar) run(ctx context.Context) error {
	if err := errors.Join(s.proxy.Listen(), s.admin.Listen()); err != nil {
		return err
	}
	failed, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	stopStore := background(fail, s.store.Run)
	s.awaitStore(ctx)
	stopDispatcher := background(fail, s.dispatcher.Run)
	stopRecorder := background(fail, func(ctx context.Context) error { s.recorder.Run(ctx); return nil })
	stopAdmin := background(fail, func(context.Context) error { return s.admin.Serve() })
	stopProxy := background(fail, func(context.Context) error { return s.proxy.Serve() })
	stopReload := background(fail, s.reload)
	s.serving()

	<-failed.Done()
	s.logger.Info("stopping; requests in flight are served to their end", "at_most", drainLimit)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
	defer cancel()
	stopReload()
	s.admin.Drain()
	if err := s.proxy.Shutdown(drain); err != nil {
		s.logger.Warn("some requests were cut off", "cause", err)
	}
	stopProxy()
	stopRecorder()
	stopDispatcher()
	stopStore()
	if err := s.admin.Shutdown(drain); err != nil {
		s.logger.Warn("the admin listener was cut off", "cause", err)
	}
	stopAdmin()
	if ctx.Err() == nil {
		return context.Cause(failed)
	}
	return nil
}

// awaitStore gives the store a moment to open: until then a response would go
// out before its observation is on disk. A store that cannot be opened tells
// of it by itself, and participants are served all the same.
func (s *sidecar) awaitStore(ctx context.Context) {
	moment, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	_ = s.store.Do(moment, func(*outbox.Tx) {})
}

// background runs work until stop is called, which waits for it. An error of
// the work is passed to fail.
func background(fail context.CancelCauseFunc, work func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := work(ctx); err != nil {
			fail(err)
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}
