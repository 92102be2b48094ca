package cli

import (
	"net/url"

	"github.com/spf13/cobra"
)

func redeliverCommand(c *connection) *cobra.Command {
	var to, rate string
	b := &bulk{verb: "redeliver", outcome: "will be sent again", dryOutcome: "would be sent again"}
	cmd := &cobra.Command{
		Use:   "redeliver [ID]",
		Short: "Send dead or delivered deliveries again",
		Long: `Send deliveries again, selected by ID or by flags. Without an ID and --state,
flags select dead deliveries.

A redelivery keeps its webhook-id and its body, and has the header
webhook-redelivery: true. Redeliveries become due one after the other, 50 a
second or at --rate; the target's own rate applies too. With --to, copies of
deliveries in any state go to another target, unless it must not see what the
body holds; the deliveries themselves stay as they are.

` + timeHelp,
		Example: `  sidehook deliveries redeliver msg_thgw0_rASQxwF_AYh-4Fn6ZX
  sidehook deliveries redeliver --target crm --since 2h --dry-run
  sidehook deliveries redeliver --state delivered --to archive --rate 20/s`,
	}
	b.addTo(cmd, c, func(values url.Values) {
		if to != "" {
			values.Set("to", to)
		}
		if rate != "" {
			values.Set("rate", rate)
		}
	})
	cmd.Flags().StringVar(&to, "to", "", "send to this `target` instead of their own")
	cmd.Flags().StringVar(&rate, "rate", "", "`rate` at which they become due: 50/s, 100/m or unlimited")
	mustComplete(cmd, "to", c.completeTarget)
	mustComplete(cmd, "rate", cobra.NoFileCompletions)
	return cmd
}
