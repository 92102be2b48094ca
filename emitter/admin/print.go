package admin

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// table prints lines of cells under each other; an empty cell is a dash.
func table(out io.Writer, lines [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, cells := range lines {
		for i, cell := range cells {
			if cells[i] = plain(cell); cell == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// plain keeps what others sent from moving the cursor, and from looking like more cells.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r != ' ' && !strconv.IsPrint(r) {
			return '·'
		}
		return r
	}, text)
}

func (c *command) printDeliveries(l listing) error {
	lines := [][]string{{"ID", "TARGET", "STATE", "CREATED", "ATTEMPTS", "STATUS", "EVENT", "SURVEY", "RULE"}}
	for _, d := range l.Deliveries {
		state := d.State
		if d.Redelivered {
			state += " (redelivered)"
		}
		lines = append(lines, []string{d.ID, d.Target, state, moment(&d.Created), strconv.Itoa(d.Attempts), status(d.Status), d.Event, d.Survey, d.Rule})
	}
	if err := table(c.out, lines); err != nil {
		return err
	}
	switch {
	case len(l.Deliveries) == 0:
		fmt.Fprintln(c.out, "there are none")
	case l.After != "":
		fmt.Fprintln(c.out, "there are more: narrow it, or give a larger -limit")
	}
	return nil
}

func (c *command) printDelivery(d *detailed) error {
	lines := [][]string{
		{"id", d.ID},
		{"target", d.Target},
		{"rule", d.Rule},
		{"event", d.Event},
		{"survey", d.Survey},
		{"state", d.State},
		{"redelivered", strconv.FormatBool(d.Redelivered)},
		{"created", moment(&d.Created)},
		{"attempts", strconv.Itoa(d.Attempts)},
		{"last status", status(d.Status)},
		{"due", moment(d.Due)},
		{"finished", moment(d.Finished)},
	}
	if f := d.Failure; f != nil {
		lines = append(lines, []string{"first failure", moment(&f.First)}, []string{"last failure", moment(&f.At)}, []string{"reason", f.Reason},
			[]string{"took", strconv.FormatFloat(f.Seconds, 'f', 3, 64) + "s"}, []string{"answer", f.Excerpt})
	}
	if err := table(c.out, lines); err != nil {
		return err
	}
	if d.Body != nil {
		fmt.Fprintf(c.out, "\n%s\n", *d.Body)
	}
	return nil
}

func (c *command) printActed(total acted, d deed) {
	fmt.Fprintf(c.out, "%s %s\n", deliveriesOf(total.Count), d.done)
	if total.Pending > 0 {
		fmt.Fprintf(c.out, "%s left as before: pending ones are sent by themselves\n", deliveriesOf(total.Pending))
	}
}

func deliveriesOf(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return strconv.Itoa(n) + " deliveries"
}

func (c *command) printTargets(targets []listedTarget) error {
	lines := [][]string{{"NAME", "STATE", "PENDING", "DEAD", "DELIVERED", "OLDEST PENDING", "LAST SUCCESS", "LAST ERROR"}}
	for _, t := range targets {
		lines = append(lines, []string{
			t.Name, stateOf(t), strconv.FormatUint(t.Pending, 10), strconv.FormatUint(t.Dead, 10), strconv.FormatUint(t.Delivered, 10),
			moment(t.Oldest), moment(t.LastSuccess), lastError(t),
		})
	}
	return table(c.out, lines)
}

func stateOf(t listedTarget) string {
	text := t.State
	if t.Cause != "" {
		text += " (" + t.Cause + ")"
	}
	if t.Disabled != nil {
		text += " since " + moment(t.Disabled)
	}
	if t.Until != nil {
		text += ", next attempt " + moment(t.Until)
	}
	return text
}

func lastError(t listedTarget) string {
	if t.LastError == "" {
		return ""
	}
	return t.LastError + ", " + moment(t.LastErrorAt)
}

func status(code int) string {
	if code == 0 {
		return ""
	}
	return strconv.Itoa(code)
}

// moment is in UTC, as in the log.
func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}
