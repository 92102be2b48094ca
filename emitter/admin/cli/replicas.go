package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
)

// seedTimeout bounds the beginning of a new log, which begins with a whole state.
const seedTimeout = 3 * time.Minute

func replicasCommand(c *connection) *cobra.Command {
	replicas := &cobra.Command{
		Use:   "replicas",
		Short: "List the replicas in front of the app; begin a new log",
		Long: `List the replicas in front of the app, as any of them knows: which one leads,
how many entries of the common log each has yet to take over, and how many
observations wait on its disk (SPILL), since the servers take too long.

A replica is leading, following, behind (it reads what it has missed), loading
(it gets a whole state), refused (the reason is below it) or silent (it was not
heard for seconds). One that is not heard for 30 seconds is not listed.`,
		Example: `  sidehook replicas
  sidehook replicas --admin 10.0.0.7:9090
  sidehook replicas --json`,
		SuggestFor: []string{"replica", "cluster", "nodes", "leader"},
		Args:       cobra.NoArgs,
		RunE:       func(cmd *cobra.Command, _ []string) error { return listReplicas(cmd, c) },
	}
	replicas.AddCommand(seedCommand(c))
	return replicas
}

func listReplicas(cmd *cobra.Command, c *connection) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	var list admin.ReplicaList
	if err := client.do(cmd.Context(), http.MethodGet, "/replicas", nil, &list); err != nil {
		return err
	}
	if c.json {
		return printJSON(cmd, list)
	}
	out := cmd.OutOrStdout()
	switch {
	case !list.Connected:
		fmt.Fprintln(out, "The servers of the replicas cannot be reached from here: webhooks wait.")
	case list.Leader == "":
		fmt.Fprintln(out, "No replica leads at the moment: webhooks wait.")
	}
	return replicasTable(&list, time.Now()).print(out)
}

// replicasTable has a row for each replica, and below it why it does not do its part.
func replicasTable(list *admin.ReplicaList, now time.Time) *table {
	t := &table{header: []string{"NAME", "ROLE", "SINCE", "ENTRY", "BEHIND", "SPILL", "HEARD", "VERSION"}, elastic: 0}
	for i := range list.Replicas {
		r := &list.Replicas[i]
		var notes []string
		if r.Reason != "" {
			notes = append(notes, r.Reason)
		}
		if r.Lost > 0 {
			notes = append(notes, plural(int(r.Lost), "observation was lost", "observations were lost")+" since its start")
		}
		t.add([]string{
			r.Name, r.Role, age(r.Since, now), number(r.Applied), number(r.Behind), number(uint64(r.SpillWaiting)), age(&r.Heard, now), r.Version,
		}, notes...)
	}
	return t
}

func seedCommand(c *connection) *cobra.Command {
	var isSure bool
	seed := &cobra.Command{
		Use:   "seed",
		Short: "Begin a new log with what one replica has",
		Long: `Begin a new log with what the replica that is asked has. This is for a log that
has lost entries, since its servers lost their disks or were restored from a
backup: then no replica leads, and each that has more than the log is refused.

Ask the replica that is furthest: that with the highest ENTRY in
"sidehook replicas". All others load its state in place of their own. What they
alone have is lost: entries past that one, and what was seen and is in no entry
yet, usually that of some milliseconds. Webhooks sent before may come again
under other ids. What waits in a spill is kept. While a replica leads, nothing
is done.`,
		Example: `  sidehook replicas seed --admin 10.0.0.7:9090 --yes`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !isSure {
				return errors.New("nothing was done: the other replicas will load what this one has, and lose what they alone have (sidehook replicas seed --help); " +
					"say --yes if that is meant")
			}
			client, err := c.client()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), seedTimeout)
			defer cancel()
			if err := client.post(ctx, "/replicas/seed", nil, nil); err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd, map[string]any{"seeded": true})
			}
			fmt.Fprintln(cmd.OutOrStdout(), "there is a new log; the other replicas load what this one has")
			return nil
		},
	}
	seed.Flags().BoolVar(&isSure, "yes", false, "do it, though the other replicas may lose something")
	return seed
}
