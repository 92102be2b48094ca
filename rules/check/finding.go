package check

import (
	"context"
	"fmt"
	"io"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/terminal"
)

// Probe finds out whether what a configuration needs is there.
type Probe = func(ctx context.Context, c *config.Config, profile *rules.Profile) []Finding

// Inspect connects to the servers of replicas and finds out whether they are as they
// should be. It changes nothing.
type Inspect = func(ctx context.Context, r *config.Replicas) []Finding

// Verdict is what a probe comes to.
type Verdict string

// Verdicts.
const (
	Good     Verdict = "ok"
	Doubtful Verdict = "warning"
	Bad      Verdict = "failed"
)

// Finding is the outcome of one probe.
type Finding struct {
	Verdict Verdict `json:"verdict"`
	// What was probed, why the verdict is what it is, and what to do about it; Todo is
	// empty if nothing.
	What string `json:"what"`
	Why  string `json:"why"`
	Todo string `json:"todo,omitempty"`
}

// print prints the finding as one line.
func (f *Finding) print(out io.Writer) {
	line := fmt.Sprintf("%s %s: %s", map[Verdict]string{Good: "✓", Doubtful: "!", Bad: "✗"}[f.Verdict], f.What, f.Why)
	if f.Todo != "" {
		line += "; " + f.Todo
	}
	fmt.Fprintln(out, terminal.Line(line))
}
