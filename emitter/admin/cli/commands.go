package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/terminal"
)

const (
	// addressVariable and tokenVariable are the defaults of --admin and --token.
	addressVariable = "SIDEHOOK_ADMIN"
	tokenVariable   = "SIDEHOOK_ADMIN_TOKEN"
	// defaultAddress is where a sidehook listens for operators by default.
	defaultAddress = "127.0.0.1:9090"
)

// notFoundError reports that a command found nothing to work on.
type notFoundError string

func (e notFoundError) Error() string { return string(e) }

// ExitCode is the exit code of the process.
func (notFoundError) ExitCode() int { return notFoundCode }

// connection is the flags that every command has.
type connection struct {
	address, token string
	json           bool
}

// Commands returns the operator's commands.
func Commands() []*cobra.Command {
	var commands []*cobra.Command
	for _, create := range []func(*connection) *cobra.Command{
		targetsCommand, replicasCommand, deliveriesCommand, surveysCommand, forgetCommand, backupCommand, damagedCommand, healthCommand,
	} {
		c := &connection{}
		command := create(c)
		flags := command.PersistentFlags()
		flags.StringVar(&c.address, "admin", "", "admin listener at `host:port`\n(default $"+addressVariable+", or "+defaultAddress+")")
		flags.StringVar(&c.token, "token", "", "`reference` to the admin token: env:NAME or file:PATH\n(default $"+tokenVariable+")")
		flags.BoolVar(&c.json, "json", false, "print JSON")
		commands = append(commands, command)
	}
	return commands
}

// client returns a client of the sidehook that the flags name.
func (c *connection) client() (*client, error) {
	token, err := c.readToken()
	if err != nil {
		return nil, fmt.Errorf("cannot use --token: %w", err)
	}
	address := c.address
	if address == "" {
		address = os.Getenv(addressVariable)
	}
	if address == "" {
		address = defaultAddress
	}
	return newClient(address, token)
}

func (c *connection) readToken() (config.Secret, error) {
	if c.token != "" {
		if !strings.HasPrefix(c.token, "env:") && !strings.HasPrefix(c.token, "file:") {
			return config.Secret{}, errors.New("it must be env:NAME or file:PATH, since other users can read a command line")
		}
		return config.ReadSecret(c.token)
	}
	if text := os.Getenv(tokenVariable); text != "" {
		return config.NewSecret(strings.TrimRight(text, "\r\n")), nil
	}
	return config.Secret{}, nil
}

func printJSON(cmd *cobra.Command, value any) error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := io.WriteString(cmd.OutOrStdout(), terminal.Text(text.String())) // the same document
	return err
}

// exactly is cobra.ExactArgs with an error that shows the usage.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("usage: %s", cmd.UseLine())
		}
		return nil
	}
}
