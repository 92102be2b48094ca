package demo

import (
	"context"
	"crypto/rand"
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

// configuration is what the demo runs with. It is printed, as a first example.
const configuration = `listen: %s
admin: %s
app: %s
state: %s
targets:
  receiver:
    url: %s
    secret: env:DEMO_SECRET
rules:
  - to: [receiver]
`

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

// Command returns the command `sidehook demo`. run is what runs its sidecar.
func Command(run Run) *cobra.Command {
	var app string
	command := &cobra.Command{
		Use:   "demo",
		Short: "Run a survey app, sidehook and a receiver on loopback, to try it",
		Long: `Run a survey app, sidehook in front of it, and a receiver that verifies and
prints each webhook, all on loopback, until Ctrl-C.

Answers are kept in a temporary folder that is removed when the demo ends.

With --app, only the survey app runs, for a sidehook of your own.`,
		Example: "  sidehook demo\n  sidehook demo --app 127.0.0.1:5000",
		Args:    cobra.NoArgs,
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
			d := &demonstration{run: run, folder: folder, secret: rand.Text(), out: cmd.OutOrStdout(), log: cmd.ErrOrStderr()}
			return d.untilSignal(cmd.Context(), signals)
		},
	}
	command.Flags().StringVar(&app, "app", "", "run only the survey app, at this `address`")
	return command
}

// demonstration is one run of the demo.
type demonstration struct {
	run    Run
	folder string
	secret string
	out    io.Writer
	log    io.Writer
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
	app, stopApp, err := serveOnLoopback(New(Options{}))
	if err != nil {
		return err
	}
	defer stopApp()
	receiver, stopReceiver, err := serveOnLoopback(&Receiver{Secret: d.secret, Out: d.out})
	if err != nil {
		return err
	}
	defer stopReceiver()
	source := fmt.Sprintf(configuration, "127.0.0.1:0", "127.0.0.1:0", app, d.folder, receiver)
	env := func(string) (string, bool) { return d.secret, true }
	parsed, err := sidehookconfig.Parse("demo.yaml", []byte(source), env, os.ReadFile)
	if err != nil {
		return err
	}
	return d.run(ctx, abort, Sidecar{Config: parsed, Log: d.log, Serving: func(participants, admin net.Addr) {
		d.introduce(fmt.Sprintf(configuration, participants, admin, app, d.folder, receiver), participants, admin)
	}})
}

// introduce prints what runs where.
func (d *demonstration) introduce(source string, participants, admin net.Addr) {
	var b strings.Builder
	fmt.Fprintf(&b, "A survey app, sidehook and a receiver are running with this configuration:\n\n%s\n", source)
	fmt.Fprintf(&b, "DEMO_SECRET is %s\n", d.secret)
	fmt.Fprintf(&b, "Answers are kept in %s until the demo ends.\n", d.folder)
	fmt.Fprintf(&b, "In another terminal: sidehook targets --admin %s\n\n", admin)
	fmt.Fprintf(&b, "Open http://%s/survey/fzd and take the survey. Ctrl-C stops the demo.\n", participants)
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
