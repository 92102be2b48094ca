package profiles

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// Command returns the command `sidehook profiles`.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:   "profiles [NAME]",
		Short: "List the built-in profiles, or print one",
		Long: `List the built-in profiles with what is known of each app, or print the YAML of
one, which can be saved, changed, and named by its path in the configuration.`,
		Example: `  sidehook profiles
  sidehook profiles limesurvey > my-limesurvey.yaml`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: Names(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				source, _ := Read(args[0])
				_, err := cmd.OutOrStdout().Write(source)
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, name := range Names() {
				source, _ := Read(name)
				fmt.Fprintf(w, "%s\t%s\n", name, describe(string(source)))
			}
			return w.Flush()
		},
	}
}

// describe returns the comment that a profile begins with, behind its first line,
// which is for editors.
func describe(source string) string {
	var words []string
	for line := range strings.Lines(source) {
		text, isComment := strings.CutPrefix(line, "#")
		if !isComment {
			break
		}
		if !strings.HasPrefix(text, " yaml-language-server:") {
			words = append(words, strings.Fields(text)...)
		}
	}
	return strings.Join(words, " ")
}
