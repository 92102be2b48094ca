package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// listLimit is how many deliveries are listed where nothing else is said.
const listLimit = 100

func deliveriesCommand(ctx context.Context, c *command, args []string) error {
	verbs := map[string]func(context.Context, *command, []string) error{
		"list": listCommand, "show": showCommand, "redeliver": redeliverCommand, "discard": discardCommand,
	}
	if len(args) == 0 || verbs[args[0]] == nil {
		return fmt.Errorf("say what to do: sidehook deliveries list, show, redeliver or discard (-h after it for its flags)")
	}
	return verbs[args[0]](ctx, c, args[1:])
}

// filterFlags are those that say which deliveries are meant.
func (c *command) filterFlags() (read func() url.Values) {
	values := map[string]*string{
		"target": c.flags.String("target", "", "only those of this `target`"),
		"rule":   c.flags.String("rule", "", "only those of this `rule`"),
		"state":  c.flags.String("state", "", "only those that are `pending, delivered or dead`"),
		"since":  c.flags.String("since", "", "only those made at this `time` (2026-11-24T09:30:00Z) or so long ago (2h, 7d), or later"),
		"until":  c.flags.String("until", "", "only those made before this `time`, or longer ago"),
	}
	return func() url.Values {
		given := url.Values{}
		for name, value := range values {
			if *value != "" {
				given.Set(name, *value)
			}
		}
		return given
	}
}

func listCommand(ctx context.Context, c *command, args []string) error {
	read := c.filterFlags()
	limit := c.flags.Int("limit", listLimit, "how many at most")
	words, err := c.parse(args)
	if err != nil {
		return err
	}
	if len(words) > 0 || *limit < 1 {
		return fmt.Errorf("say: sidehook deliveries list, with flags such as -target NAME -state dead -limit %d", listLimit)
	}
	ask, err := c.client()
	if err != nil {
		return err
	}
	all, err := ask.list(ctx, read(), *limit)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(all.Deliveries)
	}
	return c.printDeliveries(all)
}

// list asks for up to limit deliveries.
func (c *client) list(ctx context.Context, values url.Values, limit int) (all listing, err error) {
	for {
		values.Set("limit", strconv.Itoa(min(limit-len(all.Deliveries), maxList)))
		var some listing
		if err := c.ask(ctx, http.MethodGet, "/deliveries", values, &some); err != nil {
			return all, err
		}
		all.Deliveries, all.After = append(all.Deliveries, some.Deliveries...), some.After
		if all.After == "" || len(all.Deliveries) >= limit {
			return all, nil
		}
		values.Set("after", all.After)
	}
}

func showCommand(ctx context.Context, c *command, args []string) error {
	target := c.flags.String("target", "", "only the one of this `target`, where there are several")
	body := c.flags.Bool("body", false, "show the body too: it is what a participant answered")
	words, err := c.parse(args)
	if err != nil {
		return err
	}
	if err := wants(words, 1, "deliveries show ID"); err != nil {
		return err
	}
	ask, err := c.client()
	if err != nil {
		return err
	}
	values := url.Values{}
	if *target != "" {
		values.Set("target", *target)
	}
	if *body {
		values.Set("body", "1")
	}
	var found []detailed
	if err := ask.ask(ctx, http.MethodGet, "/deliveries/"+url.PathEscape(words[0]), values, &found); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(found)
	}
	for i := range found {
		if err := c.printDelivery(&found[i]); err != nil {
			return err
		}
	}
	return nil
}

// deed is what redeliver and discard do to all deliveries that are meant.
type deed struct {
	verb string
	// done and wouldBe tell of it, done and in a dry run.
	done, wouldBe string
	// add is what it has to say besides which deliveries are meant.
	add func(url.Values)
}

func redeliverCommand(ctx context.Context, c *command, args []string) error {
	to := c.flags.String("to", "", "send them to this `target` instead; they stay as they are where they were")
	rate := c.flags.String("rate", "", "how fast they become due, `50/s, 100/m or unlimited` (default 50/s); the target's own rate holds too")
	return c.do(ctx, args, deed{verb: "redeliver", done: "will be sent again", wouldBe: "would be sent again", add: func(values url.Values) {
		if *to != "" {
			values.Set("to", *to)
		}
		if *rate != "" {
			values.Set("rate", *rate)
		}
	}})
}

func discardCommand(ctx context.Context, c *command, args []string) error {
	return c.do(ctx, args, deed{verb: "discard", done: "discarded", wouldBe: "would be discarded", add: func(url.Values) {}})
}

// do reads what is meant, and does it.
func (c *command) do(ctx context.Context, args []string, d deed) error {
	read := c.filterFlags()
	dryRun := c.flags.Bool("dry-run", false, "only tell how many it would be")
	words, err := c.parse(args)
	if err != nil {
		return err
	}
	if len(words) > 1 {
		return fmt.Errorf("say: sidehook deliveries %s ID, or flags that say which (-target, -rule, -state, -since, -until)", d.verb)
	}
	ask, err := c.client()
	if err != nil {
		return err
	}
	values := read()
	d.add(values)
	if len(words) == 1 {
		values.Set("id", words[0])
	}
	if *dryRun {
		values.Set("dry_run", "1")
		d.done = d.wouldBe
	}
	total, err := ask.act(ctx, d, values)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(total)
	}
	c.printActed(total, d)
	return nil
}

// act goes through all deliveries that are meant, step by step.
func (c *client) act(ctx context.Context, d deed, values url.Values) (total acted, err error) {
	for first := true; first || total.After != ""; first = false {
		var step acted
		if err := c.ask(ctx, http.MethodPost, "/deliveries/"+d.verb, values, &step); err != nil {
			if total.Count > 0 {
				err = fmt.Errorf("%w\n%s %s before that: run it again for the rest", err, deliveriesOf(total.Count), d.done)
			}
			return total, err
		}
		total = acted{Count: total.Count + step.Count, Pending: total.Pending + step.Pending, After: step.After}
		values.Set("after", step.After)
	}
	return total, nil
}
