package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/rules/terminal"
)

// healthTimeout bounds the whole check.
const healthTimeout = 3 * time.Second

// health is the outcome of a check.
type health struct {
	Address string `json:"address"`
	Healthy bool   `json:"healthy"`
	// Message is what /ready responded, or why the check failed.
	Message string `json:"message"`
}

func healthCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "health [ADDRESS]",
		Short: "Check whether a running sidehook serves participants and records",
		Long: `Check whether a running sidehook serves participants and records: its process
runs, it reaches the app, and it can write its state. The exit code is 0 if so,
otherwise 1. It needs no token.`,
		Example: `  sidehook health
  sidehook health --admin 10.0.0.7:9090`,
		SuggestFor: []string{"healthcheck", "ready", "live", "ping"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && c.address != "" {
				return errors.New("give one address: as an argument, or with --admin")
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.address = args[0]
			}
			client, err := c.client()
			if err != nil {
				return err
			}
			message, err := client.health(cmd.Context())
			if c.json {
				found := health{Address: client.address, Healthy: err == nil, Message: message}
				if err != nil {
					found.Message = err.Error()
				}
				return errors.Join(printJSON(cmd, found), err)
			}
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), terminal.Text(message))
			}
			return err
		},
	}
}

// health returns what /ready responds, or why a participant could not be served or
// nothing is recorded.
func (c *client) health(ctx context.Context) (message string, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	for _, path := range []string{"/live", "/ready"} {
		if message, err = c.read(ctx, path); err != nil {
			var failed *statusError
			if errors.As(err, &failed) {
				err = fmt.Errorf("sidehook at %s is unhealthy: %s: %s", c.address, path, failed.reason)
			}
			return "", err
		}
	}
	if reason := notRecording(message); reason != "" {
		return "", fmt.Errorf("sidehook at %s is serving, but not recording: %s", c.address, reason)
	}
	return message, nil
}

// notRecording returns why nothing is recorded, from what /ready responded; empty if
// everything is.
func notRecording(message string) (reason string) {
	_, reason, _ = strings.Cut(message, "\n"+admin.NotRecording)
	return reason
}

// warnNotRecording prints a line if nothing is recorded, and nothing if that cannot
// be found out.
func (c *client) warnNotRecording(ctx context.Context, to io.Writer) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	message, err := c.read(ctx, "/ready")
	var failed *statusError
	if errors.As(err, &failed) {
		message = failed.reason
	}
	if reason := notRecording(message); reason != "" {
		fmt.Fprintf(to, "NOT RECORDING: %s\n\n", terminal.Line(reason))
	}
}

func (c *client) read(ctx context.Context, path string) (string, error) {
	body, err := c.open(ctx, http.MethodGet, path, nil)
	if err != nil {
		return "", err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxReason))
	return strings.TrimSpace(string(text)), err
}
