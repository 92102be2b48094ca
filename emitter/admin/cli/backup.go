package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/rules/terminal"
)

func backupCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the state of a running sidehook",
		Long: `Copy the state of a running sidehook, as it is at one moment, to FILE. It must
not exist yet. With "-" the copy goes to standard output; it passes through a
temporary file (in $TMPDIR), since it is checked first.

To restore it, stop sidehook and put the copy into its folder state, with the
name outbox.db. The copy gives new ids to later events, so that no receiver
mistakes one for an event that was sent after the backup.`,
		Example: `  sidehook backup monday.db
  ssh survey.example.org sidehook backup - > monday.db`,
		SuggestFor: []string{"dump", "export", "snapshot"},
		Args:       exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), admin.BackupTimeout+requestTimeout)
			defer cancel()
			if args[0] == "-" {
				return client.writeBackup(ctx, cmd.OutOrStdout())
			}
			size, err := client.saveBackup(ctx, args[0])
			if err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd, map[string]any{"file": args[0], "bytes": size})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s has %d bytes\n", terminal.Line(args[0]), size)
			return nil
		},
	}
}

// writeBackup writes a finished copy of the state to out.
func (c *client) writeBackup(ctx context.Context, out io.Writer) error {
	if isTerminal(out) {
		return errors.New("refusing to write a backup to a terminal: redirect the output, or name a file")
	}
	file, _, err := c.fetchBackup(ctx, os.TempDir(), "sidehook-backup-*")
	if err != nil {
		return err
	}
	defer os.Remove(file)
	content, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("cannot read the backup: %w", err)
	}
	defer content.Close()
	if _, err := io.Copy(out, content); err != nil {
		return fmt.Errorf("cannot write the backup to standard output: %w", err)
	}
	return nil
}

func isTerminal(out io.Writer) bool {
	file, isFile := out.(*os.File)
	if !isFile {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && file.Name() != os.DevNull
}
