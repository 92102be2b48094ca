package cli

import (
	"net/url"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
)

// timeHelp explains the values of --since and --until in a help text.
const timeHelp = `--since and --until take a time (2026-11-24T09:30:00Z) or an age (2h, 7d).`

// filter is the flags that select deliveries.
type filter struct {
	target, rule, survey, event, since, until string
	state                                     stateFlag
}

// stateFlag is the name of a state.
type stateFlag string

// String implements pflag.Value.
func (s *stateFlag) String() string { return string(*s) }

// Type implements pflag.Value; it names the value in a help text.
func (s *stateFlag) Type() string { return "state" }

// Set implements pflag.Value.
func (s *stateFlag) Set(text string) error {
	*s = stateFlag(text)
	return admin.CheckState(text)
}

func (f *filter) addTo(cmd *cobra.Command, c *connection) {
	flags := cmd.Flags()
	flags.StringVar(&f.target, "target", "", "only those to this `target`")
	flags.StringVar(&f.rule, "rule", "", "only those of this `rule`")
	flags.StringVar(&f.survey, "survey", "", "only those about this `survey`, as deliveries show it")
	flags.StringVar(&f.event, "event", "", "only those of this `event`")
	flags.Var(&f.state, "state", "only those in this `state`: pending, delivered or dead")
	flags.StringVar(&f.since, "since", "", "only those created since this `time`")
	flags.StringVar(&f.until, "until", "", "only those created before this `time`")
	mustComplete(cmd, "target", c.completeTarget)
	mustComplete(cmd, "state", cobra.FixedCompletions(admin.States, cobra.ShellCompDirectiveNoFileComp))
	for _, name := range []string{"rule", "survey", "event", "since", "until"} {
		mustComplete(cmd, name, cobra.NoFileCompletions)
	}
}

// values returns the flags that are set, as parameters of the API.
func (f *filter) values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{"target": f.target, "rule": f.rule, "survey": f.survey, "event": f.event, "state": string(f.state), "since": f.since, "until": f.until} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// mustComplete sets how a flag is completed; a flag that does not exist is a bug.
func mustComplete(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err)
	}
}
