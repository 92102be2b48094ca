package sample

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/terminal"
	"github.com/sidehook/sidehook/rules/trial"
)

// errRefused reports that the target did not take an event; why has been printed.
var errRefused = errors.New("the target did not take it")

// command is the command with its flags.
type command struct {
	version, path, event, har string
	asJSON                    bool
}

// Command returns the command `sidehook send` of this version.
func Command(version string) *cobra.Command {
	c := &command{version: version}
	cmd := &cobra.Command{
		Use:   "send TARGET",
		Short: "Send a test event to a target of a configuration",
		Long: `Send a test event to a target, made, signed and sent as real ones are, once, and
with the header "webhook-test: true". Print the status, the time and the start
of the answer. The exit code is 1 if the target did not take it.

With --from, send what a HAR file has for the target instead: it is personal
data, if the file is that of a real participant. No sidehook need run.`,
		Example: `  sidehook send crm
  sidehook send crm --config /etc/sidehook/config.yaml --event page_navigation
  sidehook send crm --from session.har`,
		SuggestFor: []string{"trigger", "ping", "emit"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("name one target: sidehook send TARGET")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.run(cmd.Context(), args[0], cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&c.path, "config", "config.yaml", "configuration `file`")
	flags.StringVar(&c.event, "event", string(config.Completion), "`name` of the event: "+list(Names))
	flags.StringVar(&c.har, "from", "", "HAR `file` whose events are sent; - is standard input")
	flags.BoolVar(&c.asJSON, "json", false, "print JSON")
	cmd.MarkFlagsMutuallyExclusive("event", "from")
	return cmd
}

func (c *command) run(ctx context.Context, target string, in io.Reader, out io.Writer) error {
	cfg, err := config.Load(c.path)
	if err != nil {
		return err
	}
	o := Options{Config: cfg, Version: c.version, Logger: slog.New(slog.DiscardHandler)}
	if _, known := cfg.Targets[target]; !known {
		return o.unknown(target)
	}
	if c.har == "" {
		answer, err := Send(ctx, o, target, config.EventName(c.event))
		if err != nil {
			return err
		}
		return c.print(out, target, answer)
	}
	deliveries, err := fromHAR(cfg, target, c.har, in)
	if err != nil {
		return err
	}
	var refused error
	for i := range deliveries {
		answer, err := o.send(ctx, target, &deliveries[i])
		if err == nil {
			err = c.print(out, target, answer)
		}
		if err != nil && !errors.Is(err, errRefused) {
			return err
		}
		refused = cmp.Or(refused, err)
	}
	return refused
}

// print prints an answer, and returns errRefused if it is no success.
func (c *command) print(out io.Writer, target string, a Answer) error {
	if c.asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(a); err != nil {
			return err
		}
	} else {
		mark, answer := "✓", "answered with status "+fmt.Sprint(a.Status)
		if a.Outcome != send.Delivered.String() {
			mark = "✗"
		}
		if a.Status == 0 {
			answer = "did not answer: " + a.Reason
		}
		fmt.Fprintln(out, terminal.Line(fmt.Sprintf("%s %s (%s): %s %s after %v", mark, a.Event, a.ID, target, answer,
			time.Duration(a.Seconds*float64(time.Second)).Round(time.Millisecond))))
		if a.Excerpt != "" {
			fmt.Fprintln(out, terminal.Text(a.Excerpt))
		}
	}
	if a.Outcome != send.Delivered.String() {
		return errRefused
	}
	return nil
}

// fromHAR returns what the events of a HAR file come to for a target.
func fromHAR(c *config.Config, target, path string, in io.Reader) ([]outbox.Delivery, error) {
	profile, err := rules.LoadProfile(c.Profile)
	if err != nil {
		return nil, err
	}
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("cannot open the HAR file: %w", err)
		}
		defer file.Close()
		in = file
	}
	recorded, omitted, err := trial.ReadHAR(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var deliveries []outbox.Delivery
	epoch := rand.Text() // so that a receiver takes them for new ones each time
	preview := func(key rules.Key, event *rules.Event, add func(target, rule, contentType string, body []byte)) {
		record.Preview(c)(key, event, func(to, rule, contentType string, body []byte) {
			add(to, rule, contentType, body)
			if to == target {
				deliveries = append(deliveries, record.ForTarget(c, target, epoch, event))
			}
		})
	}
	trial.Run(trial.Options{Profile: profile, Config: c, Preview: preview}, recorded, omitted)
	if len(deliveries) == 0 {
		return nil, fmt.Errorf("%s has no event that a rule sends to %s; sidehook try says why", path, target)
	}
	return deliveries, nil
}
