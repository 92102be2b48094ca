package admin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/sidehook/sidehook/emitter/record"
)

func targetsCommand(ctx context.Context, c *command, args []string) error {
	words, err := c.parse(args)
	if err != nil {
		return err
	}
	ask, err := c.client()
	if err != nil {
		return err
	}
	isList := len(words) == 0 || len(words) == 1 && words[0] == "list"
	isChange := len(words) == 2 && (words[0] == "enable" || words[0] == "disable")
	switch {
	case isChange:
		path := "/targets/" + url.PathEscape(words[1]) + "/" + words[0]
		if err := ask.ask(ctx, http.MethodPost, path, nil, nil); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s is %sd\n", words[1], words[0])
		return nil
	case !isList:
		return errors.New("say: sidehook targets, or sidehook targets enable NAME, or sidehook targets disable NAME")
	}
	var list []listedTarget
	if err := ask.ask(ctx, http.MethodGet, "/targets", nil, &list); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(list)
	}
	return c.printTargets(list)
}

func forgetCommand(ctx context.Context, c *command, args []string) error {
	survey := c.flags.String("survey", "", "only in this `survey`, as deliveries name it (fzd), or survey/instance (12/3)")
	words, err := c.parse(args)
	if err != nil {
		return err
	}
	if err := wants(words, 1, "forget PARTICIPANT, or sidehook forget - to read the id from stdin"); err != nil {
		return err
	}
	who := person{Participant: words[0], Survey: *survey}
	if who.Participant == "-" {
		line, _ := bufio.NewReader(c.in).ReadString('\n')
		who.Participant = strings.TrimRight(line, "\r\n")
	}
	if who.Participant == "" {
		return errors.New("cannot forget a participant without an id")
	}
	ask, err := c.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, forgetLimit+askLimit)
	defer cancel()
	var erased record.Forgotten
	if err := ask.tell(ctx, "/forget", who, &erased); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(erased)
	}
	fmt.Fprintf(c.out, "erased: %d journeys with %d answers; deliveries: %d pending, %d dead, %d delivered\n",
		erased.Journeys, erased.Answers, erased.Pending, erased.Dead, erased.Delivered)
	return nil
}

func backupCommand(ctx context.Context, c *command, args []string) error {
	words, err := c.parse(args)
	if err != nil {
		return err
	}
	if err := wants(words, 1, "backup FILE"); err != nil {
		return err
	}
	ask, err := c.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, backupLimit+askLimit)
	defer cancel()
	size, err := ask.saveBackup(ctx, words[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s has %d bytes\n", words[0], size)
	return nil
}
