package cli

import (
	"net/url"

	"github.com/spf13/cobra"
)

func retryCommand(c *connection) *cobra.Command {
	b := &bulk{verb: "retry", outcome: "will be retried now", dryOutcome: "would be retried now"}
	cmd := &cobra.Command{
		Use:   "retry [ID]",
		Short: "Retry pending deliveries now",
		Long: `Retry pending deliveries now, selected by ID or by flags, rather than at their
next attempt. They keep their order and the attempts that they have left. A
target that is down gets its probes first.

` + timeHelp,
		Example: `  sidehook deliveries retry msg_thgw0_rASQxwF_AYh-4Fn6ZX
  sidehook deliveries retry --target crm
  sidehook deliveries retry --rule consent --until 1h --dry-run`,
	}
	b.addTo(cmd, c, func(url.Values) {})
	return cmd
}
