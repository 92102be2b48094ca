package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
)

const errNothingStored = notFoundError("nothing is stored about this participant")

func forgetCommand(c *connection) *cobra.Command {
	var survey string
	forget := &cobra.Command{
		Use:   "forget PARTICIPANT",
		Short: "Erase everything that is stored about a participant",
		Long: `Erase everything that is stored about a participant: journeys, answers and
deliveries, including pending ones. Attempts in flight, backups, the targets and
the app are out of its reach.

PARTICIPANT is the id that the app uses; "-" reads it from standard input, which
keeps it out of the shell's history. The exit code is 3 when nothing is stored
about this participant.`,
		Example: `  sidehook forget f0bc0615-168c-4dcd-b7db-a0bb28a3ab06
  sidehook forget --survey 12/3 f0bc0615-168c-4dcd-b7db-a0bb28a3ab06
  sidehook forget - < participant.txt`,
		SuggestFor: []string{"erase", "delete", "remove"},
		Args:       exactly(1), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			participant, err := readParticipant(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			client, err := c.client()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), admin.ForgetTimeout+requestTimeout)
			defer cancel()
			var erased admin.Erased
			if err := client.post(ctx, "/forget", admin.ForgetRequest{Participant: participant, Survey: survey}, &erased); err != nil {
				return err
			}
			return reportErased(cmd, c, erased)
		},
	}
	forget.Flags().StringVar(&survey, "survey", "", "only in this `survey`: fzd, or survey/instance (12/3)")
	mustComplete(forget, "survey", cobra.NoFileCompletions)
	return forget
}

func readParticipant(argument string, in io.Reader) (string, error) {
	if argument == "-" {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("cannot read the participant from standard input: %w", err)
		}
		argument = strings.TrimRight(line, "\r\n")
	}
	if argument == "" {
		return "", errors.New("the participant's id is empty")
	}
	return argument, nil
}

func reportErased(cmd *cobra.Command, c *connection, erased admin.Erased) error {
	var err error
	if erased == (admin.Erased{}) {
		err = errNothingStored
	}
	if c.json {
		return errors.Join(printJSON(cmd, erased), err)
	}
	if err == nil {
		fmt.Fprintf(cmd.OutOrStdout(), "erased: %s with %s; deliveries: %d pending, %d dead, %d delivered\n",
			plural(erased.Journeys, "journey", "journeys"), plural(erased.Answers, "answer", "answers"), erased.Pending, erased.Dead, erased.Delivered)
	}
	return err
}
