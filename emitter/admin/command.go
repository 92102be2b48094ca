package admin

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	// defaultAddress is where a sidehook on this machine listens for operators.
	defaultAddress = "127.0.0.1:9090"
	// defaultToken is the variable of the token where no flag says otherwise.
	defaultToken = "SIDEHOOK_ADMIN_TOKEN"
)

// Usage tells of the commands that Command has.
const Usage = `  sidehook deliveries list         list deliveries
  sidehook deliveries show ID      show one: its attempts, and with -body what is sent
  sidehook deliveries redeliver    send again what is dead or was delivered
  sidehook deliveries discard      delete deliveries, also pending ones
  sidehook targets [list]          tell how the targets are doing
  sidehook targets enable NAME     let a target have its deliveries again
  sidehook targets disable NAME    send a target nothing, and keep its deliveries
  sidehook forget PARTICIPANT      erase all that is stored of a participant (- reads the id from stdin)
  sidehook backup FILE             copy the state of the sidehook that runs
`

// command is one run of a command.
type command struct {
	flags *flag.FlagSet
	out   io.Writer
	in    io.Reader

	address, token string
	json           bool
}

// commands are what Command can run.
var commands = map[string]func(ctx context.Context, c *command, args []string) error{
	"deliveries": deliveriesCommand,
	"targets":    targetsCommand,
	"forget":     forgetCommand,
	"backup":     backupCommand,
}

// Command runs `sidehook NAME ARGS...` against the sidehook that runs. known is
// false when there is no such command. Flags may stand anywhere.
func Command(ctx context.Context, name string, args []string, in io.Reader, out, complaints io.Writer) (known bool, err error) {
	run, known := commands[name]
	if !known {
		return false, nil
	}
	c := &command{flags: flag.NewFlagSet(name, flag.ContinueOnError), in: in, out: out}
	c.flags.SetOutput(complaints)
	c.flags.StringVar(&c.address, "admin", defaultAddress, "where sidehook listens for operators, `host:port`")
	c.flags.StringVar(&c.token, "token", "", "its admin_token, as `env:NAME or file:PATH` (default: env:"+defaultToken+" if there is one)")
	c.flags.BoolVar(&c.json, "json", false, "print JSON")
	return true, run(ctx, c, args)
}

// parse reads flags, wherever they stand, and gives what is none.
func (c *command) parse(args []string) (rest []string, err error) {
	for {
		if err := c.flags.Parse(args); err != nil {
			return nil, flag.ErrHelp
		}
		if c.flags.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, c.flags.Arg(0)), c.flags.Args()[1:]
	}
}

// client makes what asks the process.
func (c *command) client() (*client, error) {
	token, err := c.readToken()
	if err != nil {
		return nil, fmt.Errorf("cannot use -token: %w", err)
	}
	return newClient(c.address, token)
}

func (c *command) readToken() (config.Secret, error) {
	if c.token != "" {
		if !strings.HasPrefix(c.token, "env:") && !strings.HasPrefix(c.token, "file:") {
			return config.Secret{}, errors.New("it must be env:NAME or file:PATH; what stands on a command line is seen by others")
		}
		return config.ReadSecret(c.token)
	}
	if text, found := os.LookupEnv(defaultToken); found && text != "" {
		return config.NewSecret(strings.TrimRight(text, "\r\n")), nil
	}
	return config.Secret{}, nil
}

// printJSON prints a value for machines.
func (c *command) printJSON(value any) error {
	out := json.NewEncoder(c.out)
	out.SetEscapeHTML(false)
	return out.Encode(value)
}

// wants checks how many words there are besides flags.
func wants(words []string, n int, usage string) error {
	if len(words) != n {
		return errors.New("say: sidehook " + usage)
	}
	return nil
}
