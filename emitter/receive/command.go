package receive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	// defaultPort is where the command listens, if nothing else is said.
	defaultPort = 8787
	// headTimeout bounds the wait for the head of a request.
	headTimeout = 10 * time.Second
	// stopTimeout bounds the wait for webhooks in flight at the end.
	stopTimeout = 3 * time.Second
)

// options are the flags of the command.
type options struct {
	port            int
	secret, forward string
	answer          int
	hasBodies       bool
}

// Command returns the command `sidehook listen`.
func Command() *cobra.Command {
	var o options
	listen := &cobra.Command{
		Use:   "listen",
		Short: "Receive webhooks on loopback: verify and print each one",
		Long: `Receive webhooks on loopback until Ctrl-C: verify each one, print a line, and
answer 204, or 401 with the reason if it does not verify.

The secret is env:NAME, file:PATH, or else made anew and printed. For a target
that signs with Ed25519 it is the public key, whpk_... With --forward, webhooks
are sent on as they came, and its answers are passed back.`,
		Example: `  sidehook listen
  sidehook listen --port 9000 --secret env:CRM_SECRET --bodies
  sidehook listen --answer 500
  sidehook listen --forward http://127.0.0.1:3000/hooks`,
		SuggestFor: []string{"receive", "receiver", "tail"},
		Args:       cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	flags := listen.Flags()
	flags.IntVar(&o.port, "port", defaultPort, "`port` to listen on; 0 is any that is free")
	flags.StringVar(&o.secret, "secret", "", "`reference` to the secret: env:NAME or file:PATH")
	flags.IntVar(&o.answer, "answer", 0, "`status` of every answer, to see what sidehook does")
	flags.StringVar(&o.forward, "forward", "", "`URL` to send webhooks on to")
	flags.BoolVar(&o.hasBodies, "bodies", false, "print bodies, too: they are personal data")
	listen.MarkFlagsMutuallyExclusive("answer", "forward")
	return listen
}

func (o *options) run(ctx context.Context, out io.Writer) error {
	receiver, err := o.receiver(out)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.port)))
	if err != nil {
		return fmt.Errorf("cannot listen for webhooks (another --port?): %w", err)
	}
	fmt.Fprintf(out, "Listening on http://%s. Ctrl-C ends it. A target for it:\n\n", listener.Addr())
	fmt.Fprintf(out, "targets:\n  test:\n    url: http://%s\n", listener.Addr())
	if o.secret != "" {
		fmt.Fprintf(out, "    secret: %s\n\n", o.secret)
	} else {
		fmt.Fprintf(out, "    secret: env:WEBHOOK_SECRET   # WEBHOOK_SECRET=%s\n\n", receiver.Secret.Reveal())
	}
	server := &http.Server{Handler: receiver, ReadHeaderTimeout: headTimeout}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("cannot receive webhooks: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	err = server.Shutdown(stopping)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("webhooks in flight were cut off")
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// receiver returns what the flags ask for.
func (o *options) receiver(out io.Writer) (*Receiver, error) {
	r := &Receiver{Out: out, HasBodies: o.hasBodies, Answer: o.answer}
	if o.answer != 0 && (o.answer < 200 || o.answer > 599) {
		return nil, fmt.Errorf("--answer is %d: it must be a status from 200 to 599", o.answer)
	}
	if o.forward != "" {
		address, err := url.Parse(o.forward)
		if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
			return nil, errors.New("--forward must be a URL such as http://127.0.0.1:3000/hooks")
		}
		r.Forward = address
	}
	if o.secret == "" {
		r.Secret = config.GenerateSecret()
		return r, nil
	}
	var err error
	if r.Secret, err = config.ReadSecret(o.secret); err != nil {
		return nil, fmt.Errorf("cannot use --secret: %w", err)
	}
	return r, nil
}
