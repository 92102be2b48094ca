package cli

import (
	"net/url"

	"github.com/spf13/cobra"
)

func discardCommand(c *connection) *cobra.Command {
	b := &bulk{verb: "discard", outcome: "discarded", dryOutcome: "would be discarded"}
	cmd := &cobra.Command{
		Use:   "discard [ID]",
		Short: "Delete deliveries, including pending ones",
		Long: `Delete deliveries, selected by ID or by flags. Without an ID and --state, flags
select dead deliveries. What is discarded cannot be sent again.

` + timeHelp,
		Example: `  sidehook deliveries discard msg_thgw0_rASQxwF_AYh-4Fn6ZX
  sidehook deliveries discard --target old --state pending --dry-run`,
	}
	b.addTo(cmd, c, func(url.Values) {})
	return cmd
}
