package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/rules/terminal"
)

// Exit codes of the process. An error with a method ExitCode has its own.
const (
	failureCode  = 1
	usageCode    = 2
	notFoundCode = 3
)

// Streams are the standard streams of a command.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Execute runs a command line and returns the exit code of the process. It adds to
// root what all commands have in common: the old spellings of flags, suggestions
// for unknown commands, and errors on one line or more of the error stream.
func Execute(ctx context.Context, root *cobra.Command, args []string, streams Streams) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(interruptible{ctx: ctx, reader: streams.In})
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.SetHelpCommand(helpCommand())
	root.InitDefaultCompletionCmd()
	checkSubcommands(root)
	isStarted := false // until then, every error is one of usage
	root.PersistentPreRun = func(*cobra.Command, []string) { isStarted = true }
	root.SetArgs(normalize(root, args))

	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(streams.Err, terminal.Text(err.Error()))
	var coder interface{ ExitCode() int }
	switch {
	case errors.As(err, &coder):
		return coder.ExitCode()
	case !isStarted:
		fmt.Fprintf(streams.Err, "Run '%s --help' for usage.\n", command.CommandPath())
		return usageCode
	}
	return failureCode
}

// checkSubcommands makes an unknown subcommand an error that suggests known ones.
func checkSubcommands(parent *cobra.Command) {
	if !parent.HasSubCommands() {
		return
	}
	check := parent.Args
	parent.SuggestionsMinimumDistance = 2
	parent.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return check(cmd, args)
	}
	for _, child := range parent.Commands() {
		checkSubcommands(child)
	}
}

func unknownCommand(parent *cobra.Command, name string) error {
	text := fmt.Sprintf("unknown command %q for %q", name, parent.CommandPath())
	if near := slices.Compact(slices.Sorted(slices.Values(parent.SuggestionsFor(name)))); name != "" && len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	switch {
	case strings.HasSuffix(name, ".yaml"), strings.HasSuffix(name, ".yml"):
		text += "; to run with a configuration: sidehook run " + name
	case name == "reload":
		text += "; a running sidehook reloads a changed configuration by itself, and on SIGHUP"
	}
	return errors.New(text)
}

// helpCommand is cobra's own, except that an unknown command is an error.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Show the help of a command", Example: "  sidehook help deliveries list",
		Args: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 && found.HasSubCommands() {
				err = unknownCommand(found, rest[0])
			}
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			found, _, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}
