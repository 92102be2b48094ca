package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/terminal"
)

// completionTimeout bounds a request whose response completes a word in a shell.
const completionTimeout = time.Second

func targetsCommand(c *connection) *cobra.Command {
	var isWide bool
	list := func(cmd *cobra.Command, _ []string) error { return listTargets(cmd, c, isWide) }
	targets := &cobra.Command{
		Use:   "targets",
		Short: "List the targets and their status; enable or disable one",
		Long: `List the targets of a running sidehook with their status and their deliveries.

A target is up, down (it failed too often; one attempt at a time is made), held
(it asked for a pause), disabled, or not configured any more.`,
		Example: `  sidehook targets
  sidehook targets --json
  sidehook targets disable crm`,
		SuggestFor: []string{"target", "status"},
		Args:       cobra.NoArgs,
		RunE:       list,
	}
	alias := &cobra.Command{
		Use: "list", Short: "List the targets and their status", Example: "  sidehook targets list --json",
		Args: cobra.NoArgs, RunE: list,
	}
	for _, command := range []*cobra.Command{targets, alias} {
		command.Flags().BoolVar(&isWide, "wide", false, "show whole names, on lines as long as they need")
	}
	targets.AddCommand(
		alias,
		switchCommand(c, "enable", "Resume the deliveries of a disabled target",
			"Resume the deliveries of a target that an operator disabled or that asked for\nno more deliveries."),
		switchCommand(c, "disable", "Suspend the deliveries of a target",
			"Suspend the deliveries of a target until it is enabled again, even across\nrestarts. Its deliveries are kept."),
	)
	return targets
}

// switchCommand enables or disables a target.
func switchCommand(c *connection, verb, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " NAME", Short: short, Long: long, Example: "  sidehook targets " + verb + " crm",
		Args: exactly(1), ValidArgsFunction: c.completeTarget,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			if err := client.do(cmd.Context(), http.MethodPost, "/targets/"+url.PathEscape(args[0])+"/"+verb, nil, nil); err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd, map[string]any{"name": args[0], "enabled": verb == "enable"})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is %sd\n", terminal.Line(args[0]), verb)
			return nil
		},
	}
}

func listTargets(cmd *cobra.Command, c *connection, isWide bool) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	list, err := client.targets(cmd.Context())
	if err != nil {
		return err
	}
	if c.json {
		client.warnNotRecording(cmd.Context(), cmd.ErrOrStderr())
		return printJSON(cmd, list)
	}
	client.warnNotRecording(cmd.Context(), cmd.OutOrStdout())
	return targetsTable(list, isWide, time.Now()).print(cmd.OutOrStdout())
}

func (c *client) targets(ctx context.Context) (list []admin.Target, err error) {
	return list, c.do(ctx, http.MethodGet, "/targets", nil, &list)
}

// completeTarget completes the names of targets, as a running sidehook has them.
func (c *connection) completeTarget(cmd *cobra.Command, args []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
	client, err := c.client()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	list, err := client.targets(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, target := range list {
		names = append(names, target.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// targetsTable has a row for each target, and below it what the columns have no room for.
func targetsTable(targets []admin.Target, isWide bool, now time.Time) *table {
	t := &table{header: []string{"NAME", "STATE", "PENDING", "DEAD", "DELIVERED", "OLDEST", "LAST OK"}, elastic: 0, isWide: isWide}
	for i := range targets {
		target := &targets[i]
		t.add([]string{
			target.Name, target.State, number(target.Pending), number(target.Dead), number(target.Delivered),
			age(target.Oldest, now), age(target.LastSuccess, now),
		}, targetNotes(target)...)
	}
	return t
}

func targetNotes(t *admin.Target) (notes []string) {
	if t.Host != "" {
		notes = append(notes, t.Host)
	}
	if t.Disabled != nil {
		notes = append(notes, fmt.Sprintf("disabled since %s (%s)", timestamp(t.Disabled), causeText(t.Cause)))
	}
	if t.NextAttempt != nil {
		notes = append(notes, "next attempt "+timestamp(t.NextAttempt))
	}
	if t.LastError != "" {
		notes = append(notes, "last error "+timestamp(t.LastErrorAt)+": "+t.LastError)
	}
	return notes
}

// causeText returns why a target is disabled, for people. The API has the text that
// the state file keeps.
func causeText(cause string) string {
	switch outbox.Cause(cause) {
	case outbox.CauseUnsubscribed:
		return "unsubscribed"
	case outbox.CauseFailing:
		return "failing for 5 days"
	case outbox.CauseOperator:
		return "by an operator"
	}
	return cause
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }
