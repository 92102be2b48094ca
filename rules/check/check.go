package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/terminal"
)

const (
	// defaultFile is checked where no file is named.
	defaultFile = "config.yaml"
	// stdin is what problems call standard input.
	stdin = "stdin"
)

// errFaulty reports that problems have been printed.
var errFaulty = errors.New("the configuration has problems")

// errProbe reports that something lacks which a configuration needs.
var errProbe = errors.New("not everything is there that the configuration needs")

// result is the outcome for one file.
type result struct {
	File string `json:"file"`
	OK   bool   `json:"ok"`
	// Summary is what the configuration does; Problems is what is wrong with it, and
	// Warnings what may be.
	Summary  string   `json:"summary,omitempty"`
	Problems []string `json:"problems,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	// Probes are the outcomes of --probe.
	Probes []Finding `json:"probes,omitempty"`
}

// State checks a state directory, and prints what is in it.
type State = func(path string, out io.Writer, asJSON bool) error

// Command returns the command `sidehook check`. state is what --state does, and probe
// what --probe does; inspect looks at the servers of replicas without it, too.
func Command(state State, probe Probe, inspect Inspect) *cobra.Command {
	var files []string
	var path string
	var asJSON, probes bool
	check := &cobra.Command{
		Use:   "check [CONFIG...]",
		Short: "Check configuration files, and summarise what they do",
		Long: `Check configuration files, and summarise what each one does. The default is
config.yaml in the current folder; "-" is standard input. The exit code is 1
when a file has problems; all of them are printed, as FILE:LINE:COLUMN.

The files that a configuration refers to and the environment variables of its
secrets must be there, as they are when sidehook runs. That the state directory
cannot be written, or the servers of replicas cannot be reached, is a warning:
perhaps they can where sidehook runs.

With --probe, also find out whether what a good file needs is there: the state
can be written and synced, the ports are free, the app answers and which release
it is, each target resolves, connects and holds TLS, the servers of replicas
have JetStream and room, and the clock is right. Run it where sidehook is to
run. Nothing is posted. The exit code is 1 if any fails.

With --state, read a whole state directory instead, or a backup, while sidehook
does not run: what is in it, and what is damaged. It changes nothing.`,
		Example: `  sidehook check config.yaml
  sidehook check staging.yaml production.yaml
  sidehook check --probe config.yaml
  sidehook check --state /var/lib/sidehook
  envsubst < config.template.yaml | sidehook check -`,
		SuggestFor: []string{"validate", "verify", "lint", "config"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("state") {
				if len(files)+len(args) > 0 {
					return errors.New("check configurations or, with --state, one state directory")
				}
				return state(path, cmd.OutOrStdout(), asJSON)
			}
			files = append(files, args...)
			if len(files) == 0 {
				files = []string{defaultFile}
			}
			if !probes {
				probe = nil
			}
			return run(cmd, files, asJSON, prober{probe, inspect})
		},
	}
	check.Flags().StringArrayVar(&files, "config", nil, "`file` to check, as if it were an argument")
	check.Flags().StringVar(&path, "state", "", "state `directory` to read, or a backup")
	check.Flags().BoolVar(&probes, "probe", false, "probe the state, ports, app, targets and clock")
	check.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return check
}

// prober looks at what good files need; probe is nil without --probe.
type prober struct {
	probe   Probe
	inspect Inspect
}

// warn returns a warning for each thing about the servers of replicas that is not as
// it should be.
func (p prober) warn(ctx context.Context, c *config.Config) (warnings []string) {
	if c.Replicas == nil || p.inspect == nil {
		return nil
	}
	for _, finding := range p.inspect(ctx, c.Replicas) {
		if finding.Verdict != Good {
			warnings = append(warnings, finding.What+": "+finding.Why)
		}
	}
	return warnings
}

// run checks the files.
func run(cmd *cobra.Command, files []string, asJSON bool, by prober) error {
	var results []result
	var problems []string
	for _, file := range files {
		checked := checkFile(cmd.Context(), file, cmd.InOrStdin(), by)
		results = append(results, checked)
		problems = append(problems, checked.Problems...)
	}
	var err error
	if len(problems) > 0 {
		err = errors.New(strings.Join(problems, "\n"))
	} else if slices.ContainsFunc(results, result.hasFailed) {
		err = errProbe
	}
	if asJSON {
		if len(problems) > 0 {
			err = errFaulty
		}
		out := json.NewEncoder(cmd.OutOrStdout())
		out.SetEscapeHTML(false)
		return errors.Join(out.Encode(results), err)
	}
	for i := range results {
		results[i].print(cmd.OutOrStdout(), i, len(results))
	}
	return err
}

// checkFile checks one file; "-" is in.
func checkFile(ctx context.Context, file string, in io.Reader, by prober) result {
	var profile *rules.Profile
	config, err := load(file, in)
	if err == nil {
		profile, err = rules.LoadProfile(config.Profile)
	}
	if err != nil {
		return result{File: file, Problems: strings.Split(err.Error(), "\n")}
	}
	checked := result{File: file, OK: true, Summary: config.Summary()}
	checked.Warnings = Warnings(config, profile)
	if by.probe != nil {
		checked.Probes = by.probe(ctx, config, profile)
		return checked
	}
	checked.Warnings = append(checked.Warnings, by.warn(ctx, config)...)
	if err := tryState(config.State); err != nil {
		checked.Warnings = append(checked.Warnings, fmt.Sprintf("state %s cannot be written by user %d: %v; there, sidehook would serve participants, but not record", config.State, os.Geteuid(), err))
	}
	return checked
}

// Warnings returns a warning for each target whose format has no place for what the
// app has.
func Warnings(c *config.Config, profile *rules.Profile) (warnings []string) {
	lacking := profile.BeyondDecsys()
	if len(lacking) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.Targets)) {
		if c.Targets[name].Format == config.FormatDecsys {
			warnings = append(warnings, fmt.Sprintf("target %s: format decsys has no place for what %s may have: %s; format standard has", name, profile.App, strings.Join(lacking, ", ")))
		}
	}
	return warnings
}

func load(file string, in io.Reader) (*config.Config, error) {
	if file != "-" {
		return config.Load(file)
	}
	source, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return config.Parse(stdin, source, os.LookupEnv, os.ReadFile)
}

// print prints the summary of a good file. Where it is the i-th of several, it
// prints its name too.
func (r *result) print(out io.Writer, i, n int) {
	if n > 1 {
		separator := "\n"
		if i == 0 {
			separator = ""
		}
		verdict := map[bool]string{true: "ok\n", false: "has problems"}[r.OK]
		fmt.Fprintf(out, "%s%s: %s\n", separator, terminal.Line(r.File), verdict)
	}
	fmt.Fprint(out, terminal.Text(r.Summary))
	for _, warning := range r.Warnings {
		fmt.Fprintln(out, "\nwarning:", terminal.Line(warning))
	}
	if len(r.Probes) > 0 {
		fmt.Fprintln(out)
	}
	for i := range r.Probes {
		r.Probes[i].print(out)
	}
}

// hasFailed reports whether a probe failed.
func (r result) hasFailed() bool {
	return slices.ContainsFunc(r.Probes, func(f Finding) bool { return f.Verdict == Bad })
}
