package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	sidehookconfig "github.com/sidehook/sidehook/rules/config"
)

const (
	// drainNotice is how long the demo may take to stop before it prints why.
	drainNotice = 300 * time.Millisecond
	// abortTimeout is how long it may take to stop once requests are cut off.
	abortTimeout = 3 * time.Second
)

var errStuck = errors.New("the demo did not stop in time")

// Sidecar is a sidehook to run between the demo's app and receiver.
type Sidecar struct {
	Config *sidehookconfig.Config
	// Log is where warnings go.
	Log io.Writer
	// Serving is called once participants are served, with the addresses of the
	// two listeners.
	Serving func(participants, admin net.Addr)
}

// Run runs a sidecar until ctx ends, and then until the requests in flight have
// ended or abort has.
type Run func(ctx, abort context.Context, s Sidecar) error

// Reception is what a receiver is made of.
type Reception struct {
	Secret sidehookconfig.Secret
	// Out gets a line for each webhook and, with HasBodies, its body.
	Out       io.Writer
	HasBodies bool
	// Received is called for each webhook that verifies, with its line.
	Received func(line string, body []byte)
}

// Parts are what the demo connects with its survey app.
type Parts struct {
	// Run runs the sidecar.
	Run Run
	// NewReceiver returns what verifies webhooks and prints them.
	NewReceiver func(Reception) http.Handler
}

// Command returns the command `sidehook demo`.
func Command(parts Parts) *cobra.Command {
	var app string
	var to ownTarget
	var hasBodies bool
	command := &cobra.Command{
		Use:   "demo",
		Short: "Run a survey app, sidehook and a receiver on loopback, to try it",
		Long: `Run a survey app, sidehook in front of it, and a receiver that verifies each
webhook, all on loopback, until Ctrl-C. Webhooks are lines here, and appear
beside the survey.

With --to, a receiver of your own gets them, too, signed with the secret that
is printed, or with --secret. --format is that of all webhooks.

Answers are kept in a temporary folder that is removed when the demo ends.

With --app, only the survey app runs, for a sidehook of your own.`,
		Example: `  sidehook demo
  sidehook demo --bodies
  sidehook demo --to http://127.0.0.1:3000/hooks --format cloudevents
  sidehook demo --app 127.0.0.1:5000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if app != "" {
				return serveAlone(cmd.Context(), app, cmd.OutOrStdout())
			}
			// All signals that would end the process, and can be caught, are caught
			// until the folder is removed.
			signals := make(chan os.Signal, 2)
			signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGPIPE)
			if !signal.Ignored(syscall.SIGHUP) { // as nohup does
				signal.Notify(signals, syscall.SIGHUP)
			}
			defer signal.Stop(signals)
			folder, err := os.MkdirTemp("", "sidehook-demo-")
			if err != nil {
				return fmt.Errorf("cannot create a folder for the demo: %w", err)
			}
			defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
			secret, err := to.signingSecret()
			if err != nil {
				return err
			}
			d := &demonstration{parts: parts, to: to, hasBodies: hasBodies, folder: folder, secret: secret, out: cmd.OutOrStdout(), log: cmd.ErrOrStderr()}
			return d.untilSignal(cmd.Context(), signals)
		},
	}
	flags := command.Flags()
	flags.StringVar(&app, "app", "", "run only the survey app, at this `address`")
	flags.BoolVar(&hasBodies, "bodies", false, "print bodies, too")
	flags.StringVar(&to.url, "to", "", "`URL` of a receiver of your own")
	flags.StringVar(&to.format, "format", "standard", "standard, decsys or cloudevents")
	flags.StringVar(&to.secret, "secret", "", "`reference` to the secret: env:NAME or file:PATH")
	for _, other := range []string{"bodies", "to", "format", "secret"} {
		command.MarkFlagsMutuallyExclusive("app", other)
	}
	return command
}

// demonstration is one run of the demo.
type demonstration struct {
	parts     Parts
	to        ownTarget
	hasBodies bool
	folder    string
	secret    sidehookconfig.Secret
	out       io.Writer
	log       io.Writer
}

// untilSignal runs the demo until ctx ends or a signal comes. A second signal
// cuts off requests in flight.
func (d *demonstration) untilSignal(ctx context.Context, signals <-chan os.Signal) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	abort, cut := context.WithCancel(context.Background())
	defer cut()
	ended := make(chan error, 1)
	go func() { ended <- d.serve(ctx, abort) }()

	var notice, deadline <-chan time.Time
	stopping := ctx.Done()
	for received := 0; ; {
		select {
		case err := <-ended:
			return err
		case <-signals: // the first one may have ended ctx, too
			stop()
			if received++; received == 2 {
				cut()
				deadline = time.After(abortTimeout)
			}
		case <-stopping:
			stopping, notice = nil, time.After(drainNotice)
		case <-notice:
			fmt.Fprintln(d.out, "Waiting for requests in flight; Ctrl-C again cuts them off.")
		case <-deadline:
			return errStuck
		}
	}
}

// serve runs the app, the receiver and the sidecar between them.
func (d *demonstration) serve(ctx, abort context.Context) error {
	shown := newFeed(ctx.Done())
	app, stopApp, err := serveOnLoopback(New(Options{Webhooks: shown}))
	if err != nil {
		return err
	}
	defer stopApp()
	receiver, stopReceiver, err := serveOnLoopback(d.parts.NewReceiver(Reception{
		Secret: d.secret, Out: d.out, HasBodies: d.hasBodies, Received: d.received(shown),
	}))
	if err != nil {
		return err
	}
	defer stopReceiver()
	source := func(participants, admin string, hides bool) string {
		return configuration{participants, admin, app, d.folder, receiver, d.to}.yaml(hides)
	}
	env := func(string) (string, bool) { return d.secret.Reveal(), true }
	parsed, err := sidehookconfig.Parse("demo.yaml", []byte(source("127.0.0.1:0", "127.0.0.1:0", false)), env, os.ReadFile)
	if err != nil {
		return err
	}
	return d.parts.Run(ctx, abort, Sidecar{Config: parsed, Log: d.log, Serving: func(participants, admin net.Addr) {
		d.introduce(source(participants.String(), admin.String(), true), participants, admin)
	}})
}

// received returns what is done with a webhook that verifies.
func (d *demonstration) received(shown *feed) func(line string, body []byte) {
	var hint sync.Once
	return func(line string, body []byte) {
		shown.add(line, body)
		if isCompletion(body) {
			hint.Do(func() { fmt.Fprintf(d.out, "\n%s\n\n", nextStep) })
		}
	}
}

// introduce prints what runs where.
func (d *demonstration) introduce(source string, participants, admin net.Addr) {
	var b strings.Builder
	fmt.Fprintf(&b, "A survey app, sidehook and a receiver are running with this configuration:\n\n%s\n", source)
	fmt.Fprintf(&b, "survey   http://%s/survey/fzd\n", participants)
	fmt.Fprintf(&b, "console  http://%s/\n", admin)
	if d.to.secret == "" {
		fmt.Fprintf(&b, "secret   DEMO_SECRET=%s\n", d.secret.Reveal())
	}
	fmt.Fprintf(&b, "answers  %s, until the demo ends\n\n", d.folder)
	fmt.Fprintf(&b, "For the commands, in another terminal: export SIDEHOOK_ADMIN=%s\n", admin)
	fmt.Fprint(&b, "Open the survey and take it: webhooks are lines here, and appear beside it. Ctrl-C stops the demo.\n\n")
	fmt.Fprint(d.out, b.String())
}

// serveOnLoopback serves a handler at a free port until stop is called.
func serveOnLoopback(handler http.Handler) (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("cannot listen for the demo: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	return "http://" + listener.Addr().String(), func() { server.Close(); serving.Wait() }, nil
}
