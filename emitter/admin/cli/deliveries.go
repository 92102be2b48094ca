package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/rules/terminal"
)

// defaultLimit is how many deliveries are listed by default.
const defaultLimit = 100

func deliveriesCommand(c *connection) *cobra.Command {
	deliveries := &cobra.Command{
		Use:        "deliveries",
		Short:      "List, show, retry, redeliver or discard deliveries",
		Long:       "List, show, retry, redeliver or discard the deliveries of a running sidehook.",
		SuggestFor: []string{"delivery", "events", "webhooks", "queue"},
		Example: `  sidehook deliveries list --state dead --since 2h
  sidehook deliveries show msg_thgw0_rASQxwF_AYh-4Fn6ZX
  sidehook deliveries redeliver --target crm --since 2h --dry-run
  sidehook deliveries discard --target old`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	deliveries.AddCommand(listCommand(c), showCommand(c), retryCommand(c), redeliverCommand(c), discardCommand(c))
	return deliveries
}

func listCommand(c *connection) *cobra.Command {
	var selected filter
	var limit int
	var isWide bool
	list := &cobra.Command{
		Use:   "list",
		Short: "List deliveries",
		Long: `List deliveries: pending ones from the oldest, dead and delivered ones from the
latest. Flags narrow the list.

` + timeHelp,
		Example: `  sidehook deliveries list
  sidehook deliveries list --state dead --since 2h
  sidehook deliveries list --target crm --until 2026-11-24T09:30:00Z --json`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return fmt.Errorf("list takes flags only, such as --target or --state; to show one delivery: sidehook deliveries show %s", args[0])
			case limit < 1:
				return errors.New("--limit must be 1 or more")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			found, err := client.list(cmd.Context(), selected.values(), limit)
			if err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd, found.Deliveries)
			}
			return printDeliveries(cmd, found, isWide)
		},
	}
	selected.addTo(list, c)
	list.Flags().IntVar(&limit, "limit", defaultLimit, "largest `number` of deliveries to list")
	list.Flags().BoolVar(&isWide, "wide", false, "show all columns, on lines as long as they need")
	return list
}

// list returns up to limit deliveries.
func (c *client) list(ctx context.Context, values url.Values, limit int) (list admin.DeliveryList, err error) {
	list.Deliveries = []admin.Delivery{}
	for {
		values.Set("limit", strconv.Itoa(min(limit-len(list.Deliveries), admin.MaxPage)))
		var page admin.DeliveryList
		if err := c.do(ctx, http.MethodGet, "/deliveries", values, &page); err != nil {
			return list, err
		}
		list.Deliveries, list.After = append(list.Deliveries, page.Deliveries...), page.After
		if list.After == "" || len(list.Deliveries) >= limit {
			return list, nil
		}
		values.Set("after", list.After)
	}
}

func printDeliveries(cmd *cobra.Command, list admin.DeliveryList, isWide bool) error {
	out := cmd.OutOrStdout()
	if len(list.Deliveries) == 0 {
		fmt.Fprintln(out, "no deliveries")
		return nil
	}
	if err := deliveriesTable(list.Deliveries, isWide, time.Now()).print(out); err != nil {
		return err
	}
	if list.After != "" {
		fmt.Fprintln(out, "there are more: narrow the list, or raise --limit")
	}
	return nil
}

func deliveriesTable(deliveries []admin.Delivery, isWide bool, now time.Time) *table {
	t := &table{header: []string{"ID", "TARGET", "STATE", "AGE", "ATTEMPTS", "STATUS"}, elastic: 1, isWide: isWide}
	if isWide {
		t.header = append(t.header, "CREATED", "EVENT", "SURVEY", "RULE")
	}
	for i := range deliveries {
		d := &deliveries[i]
		cells := []string{d.ID, d.Target, d.State, age(&d.Created, now), strconv.Itoa(d.Attempts), status(d.Status)}
		if isWide {
			if d.Redelivered {
				cells[2] += " (redelivered)"
			}
			cells = append(cells, timestamp(&d.Created), d.Event, d.Survey, d.Rule)
		}
		t.add(cells)
	}
	return t
}

func showCommand(c *connection) *cobra.Command {
	var target string
	var body bool
	show := &cobra.Command{
		Use:   "show ID",
		Short: "Show a delivery with its last failure or its body",
		Long: `Show the deliveries that have a webhook-id: several where it was redelivered to
other targets too.

With --body it prints the body, which holds what a participant answered.
Characters that control a terminal are escaped in it, in --json as JSON does.`,
		Example: `  sidehook deliveries show msg_thgw0_rASQxwF_AYh-4Fn6ZX
  sidehook deliveries show msg_thgw0_rASQxwF_AYh-4Fn6ZX --target crm --body`,
		Args: exactly(1), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			found, err := client.show(cmd.Context(), args[0], target, body)
			if err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd, found)
			}
			for i := range found {
				if err := printDelivery(cmd, &found[i], i > 0); err != nil {
					return err
				}
			}
			return nil
		},
	}
	show.Flags().StringVar(&target, "target", "", "only the delivery to this `target`")
	show.Flags().BoolVar(&body, "body", false, "print the body too, which holds a participant's answers")
	mustComplete(show, "target", c.completeTarget)
	return show
}

func (c *client) show(ctx context.Context, id, target string, withBody bool) (found []admin.DeliveryDetail, err error) {
	values := url.Values{}
	if target != "" {
		values.Set("target", target)
	}
	if withBody {
		values.Set("body", "1")
	}
	return found, c.do(ctx, http.MethodGet, "/deliveries/"+url.PathEscape(id), values, &found)
}

func printDelivery(cmd *cobra.Command, d *admin.DeliveryDetail, isNext bool) error {
	out := cmd.OutOrStdout()
	fields := [][2]string{
		{"id", d.ID},
		{"target", d.Target},
		{"rule", d.Rule},
		{"event", d.Event},
		{"survey", d.Survey},
		{"state", d.State},
		{"redelivered", strconv.FormatBool(d.Redelivered)},
		{"created", timestamp(&d.Created)},
		{"attempts", strconv.Itoa(d.Attempts)},
		{"last status", status(d.Status)},
		{"due", timestamp(d.Due)},
		{"finished", timestamp(d.Finished)},
	}
	if f := d.Failure; f != nil {
		fields = append(fields, [][2]string{
			{"first failure", timestamp(&f.First)},
			{"last failure", timestamp(&f.At)},
			{"reason", f.Reason},
			{"duration", strconv.FormatFloat(f.Seconds, 'f', 3, 64) + "s"},
			{"response", f.Excerpt},
		}...)
	}
	if isNext {
		fmt.Fprintln(out)
	}
	if err := printFields(out, fields); err != nil {
		return err
	}
	if d.Body != nil {
		fmt.Fprintf(out, "\n%s\n", terminal.Text(*d.Body))
	}
	return nil
}

func status(code int) string {
	if code == 0 {
		return ""
	}
	return strconv.Itoa(code)
}
