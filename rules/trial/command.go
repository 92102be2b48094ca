package trial

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/terminal"
)

// defaultConfig is what a recording is tried with where no configuration is named.
const defaultConfig = `
app: http://127.0.0.1:5000
targets: {example: {url: https://example.org, secret: env:NONE, format: standard}}
rules: [{to: [example]}]
`

// Preview makes the deliveries of an event and calls add for each.
type Preview = func(key rules.Key, event *rules.Event, add func(target, rule, contentType string, body []byte))

// Command returns the command `sidehook try`. preview returns the Preview for a
// configuration.
func Command(preview func(*config.Config) Preview) *cobra.Command {
	var path, profile string
	var asJSON bool
	try := &cobra.Command{
		Use:   "try HAR [CONFIG]",
		Short: "Dry-run recorded traffic through a configuration",
		Long: `Dry-run recorded traffic: print what each exchange of a HAR file means, each
event, for each rule why it fires or not, and the bodies that would be sent. It
needs neither network nor secrets. It shows participants and answers, as the
file does.

Record with the developer tools of any browser: network panel, log preserved,
then save as HAR. Without CONFIG all navigations are printed as standard, of
Decsys or of the app that --profile names (see "sidehook profiles").`,
		Example: `  sidehook try session.har config.yaml
  sidehook try session.har --config config.yaml --json
  sidehook try session.har --profile limesurvey`,
		SuggestFor: []string{"replay", "test", "explain", "dry-run"},
		Args: func(cmd *cobra.Command, args []string) error {
			isNamed := cmd.Flags().Changed("config") || cmd.Flags().Changed("profile")
			if len(args) < 1 || len(args) > 2 || len(args) == 2 && isNamed {
				return errors.New("name a HAR file, and at most one configuration: sidehook try session.har config.yaml")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				path = args[1]
			}
			report, err := tryFile(args[0], path, profile, cmd.InOrStdin(), preview)
			if err != nil {
				return err
			}
			return print(cmd.OutOrStdout(), report, asJSON)
		},
	}
	try.Flags().StringVar(&path, "config", "", "configuration `file`")
	try.Flags().StringVar(&profile, "profile", "decsys", "`name` or file of the profile to try")
	try.MarkFlagsMutuallyExclusive("config", "profile")
	try.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return try
}

func tryFile(har, path, profileName string, stdin io.Reader, preview func(*config.Config) Preview) (*Report, error) {
	config, err := load(path, profileName)
	if err != nil {
		return nil, err
	}
	profile, err := rules.LoadProfile(config.Profile)
	if err != nil {
		return nil, err
	}
	in := stdin
	if har != "-" {
		file, err := os.Open(har)
		if err != nil {
			return nil, fmt.Errorf("cannot open the HAR file: %w", err)
		}
		defer file.Close()
		in = file
	}
	recorded, omitted, err := ReadHAR(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", har, err)
	}
	return Run(Options{Profile: profile, Config: config, Preview: preview(config)}, recorded, omitted), nil
}

// Try reads a HAR file and writes what comes of it, for people.
func Try(o Options, har io.Reader, report io.Writer) error {
	recorded, omitted, err := ReadHAR(har)
	if err != nil {
		return err
	}
	return Run(o, recorded, omitted).WriteText(report)
}

func load(path, profile string) (*config.Config, error) {
	if path != "" {
		return config.LoadWithoutSecrets(path)
	}
	env := func(string) (string, bool) { return config.StandIn, true }
	c, err := config.Parse("trial", []byte(defaultConfig), env, os.ReadFile)
	if err == nil {
		c.Profile = profile
	}
	return c, err
}

func print(out io.Writer, report *Report, asJSON bool) error {
	if !asJSON {
		var b bytes.Buffer
		if err := report.WriteText(&b); err != nil {
			return err
		}
		_, err := io.WriteString(out, terminal.Text(b.String()))
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}
