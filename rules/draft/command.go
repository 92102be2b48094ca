package draft

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/terminal"
	"github.com/sidehook/sidehook/rules/trial"
)

// errNothing means that a recording has no answers.
var errNothing = errors.New("no request in it is known to have answers: record a whole survey, from its first page to its last, and answer every question; sidehook try shows what the requests have")

// Command returns the command `sidehook profile`.
func Command() *cobra.Command {
	profile := &cobra.Command{
		Use: "profile", Short: "Make a profile for another app",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	profile.AddCommand(newCommand())
	return profile
}

func newCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new HAR",
		Short: "Propose a profile for an app from a recorded session",
		Long: `Propose a profile for an app from a recorded session: which requests matter, and
where participants, pages and answers are in them. Each line has a comment that
says why; correct it, and look at what it makes of the recording with
"sidehook try". Record one participant who answers every question of a survey
with several pages, differently, and completes it.`,
		Example: `  sidehook profile new session.har > my-app.yaml
  sidehook try session.har --profile my-app.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("cannot open the HAR file: %w", err)
				}
				defer file.Close()
				in = file
			}
			profile, err := Propose(in)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			_, err = io.WriteString(cmd.OutOrStdout(), terminal.Text(string(profile)))
			return err
		},
	}
}

// Propose returns a profile as YAML for the app of a HAR file.
func Propose(har io.Reader) ([]byte, error) {
	recorded, omitted, err := trial.ReadHAR(har)
	if err != nil {
		return nil, err
	}
	s := analyse(readExchanges(trial.ByEnd(recorded)))
	if len(s.answering) == 0 {
		return nil, explain(omitted, recorded)
	}
	profile := s.write(s.exchanges[0].Exchange.Host)
	if _, err := rules.ParseProfile("proposed", profile); err != nil {
		return nil, fmt.Errorf("no profile can be made of it by itself: %w\n\n%s", err, profile)
	}
	return profile, nil
}

// explain returns errNothing with what the recording lacks.
func explain(omitted []trial.Omission, recorded []trial.Recorded) error {
	err := errNothing
	for _, one := range omitted {
		err = fmt.Errorf("%w\nentry %d: %s", err, one.Entry, one.Why)
	}
	for _, one := range recorded {
		for _, lacks := range []string{one.LacksRequest, one.LacksResponse} {
			if lacks != "" {
				err = fmt.Errorf("%w\nentry %d: %s", err, one.Entry, lacks)
			}
		}
	}
	return err
}
