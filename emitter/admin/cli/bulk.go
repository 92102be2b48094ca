package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
)

// bulk is an operation on all selected deliveries.
type bulk struct {
	// verb is the operation's name in the API.
	verb string
	// outcome and dryOutcome follow "3 deliveries" in the output.
	outcome, dryOutcome string
	selected            filter
	dryRun              bool
}

// addTo makes cmd run the operation; add adds parameters of its own.
func (b *bulk) addTo(cmd *cobra.Command, c *connection, add func(url.Values)) {
	b.selected.addTo(cmd, c)
	cmd.Flags().BoolVar(&b.dryRun, "dry-run", false, "only count the deliveries")
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 1 || len(args) == 0 && len(b.selected.values()) == 0 {
			return errors.New("select deliveries by one ID, or by --target, --rule, --state, --since and --until")
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		client, err := c.client()
		if err != nil {
			return err
		}
		values := b.selected.values()
		add(values)
		if len(args) == 1 {
			values.Set("id", args[0])
		}
		total, err := b.run(cmd.Context(), client, values)
		if err != nil {
			return err
		}
		if c.json {
			return printJSON(cmd, total)
		}
		b.print(cmd, total)
		return nil
	}
}

// run goes through all selected deliveries, step by step.
func (b *bulk) run(ctx context.Context, client *client, values url.Values) (total admin.BulkResult, err error) {
	if b.dryRun {
		values.Set("dry_run", "1")
		b.outcome = b.dryOutcome
	}
	for isFirst := true; isFirst || total.After != ""; isFirst = false {
		var step admin.BulkResult
		if err := client.do(ctx, http.MethodPost, "/deliveries/"+b.verb, values, &step); err != nil {
			if total.Count > 0 {
				err = fmt.Errorf("%w\nbefore that, %s %s: run it again for the rest", err, plural(total.Count, "delivery", "deliveries"), b.outcome)
			}
			return total, err
		}
		total = admin.BulkResult{Count: total.Count + step.Count, Pending: total.Pending + step.Pending, After: step.After}
		values.Set("after", step.After)
	}
	return total, nil
}

func (b *bulk) print(cmd *cobra.Command, total admin.BulkResult) {
	fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", plural(total.Count, "delivery", "deliveries"), b.outcome)
	if total.Pending > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "%s left alone: pending ones will be sent anyway\n", plural(total.Pending, "delivery", "deliveries"))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
