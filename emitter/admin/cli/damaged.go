package cli

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
)

func damagedCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "damaged",
		Short: "List the records of the state that were found damaged",
		Long: `List the records of the state of a running sidehook that were found damaged and
set aside, the newest first: their checksum was wrong. Nothing of them is sent;
everything else goes on. "sidehook check --state DIR" reads a whole state.`,
		Example: `  sidehook damaged
  sidehook damaged --json`,
		SuggestFor: []string{"corrupt", "broken", "repair"},
		Args:       cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			var list []admin.Damaged
			if err := client.do(cmd.Context(), http.MethodGet, "/damaged", nil, &list); err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd, list)
			}
			if len(list) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "nothing is damaged")
				return nil
			}
			return damagedTable(list).print(cmd.OutOrStdout())
		},
	}
}

func damagedTable(list []admin.Damaged) *table {
	t := &table{header: []string{"FOUND", "KIND", "BYTES", "TARGET", "DELIVERY"}, elastic: 3}
	for i := range list {
		d := &list[i]
		found := ""
		if !d.Found.IsZero() {
			found = timestamp(&d.Found)
		}
		t.add([]string{found, d.Kind, number(uint64(d.Bytes)), d.Target, d.ID})
	}
	return t
}
