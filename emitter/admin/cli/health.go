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
		Short: "Check whether a running sidehook serves participants",
		Long: `Check whether a running sidehook serves participants: its process runs, and it
reaches the app. The exit code is 0 if so, otherwise 1. It needs no token.`,
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

// health returns what /ready responds, or why a participant could not be served.
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
	return message, nil
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
