package setup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/profiles"
)

const (
	// defaultApp is where Decsys listens.
	defaultApp = "http://127.0.0.1:5000"
	// defaultState is the state directory, in the folder of the configuration.
	defaultState = "state"
	// defaultEvents are those of a rule that names none.
	defaultEvents = "page_navigation, completion"
	// probeTimeout bounds the request to the app.
	probeTimeout = 2 * time.Second
)

// Get requests a path of the app at an address as in a configuration.
type Get func(ctx context.Context, app, path string) (status int, contentType string, body []byte, err error)

// setup is one run of the command.
type setup struct {
	answers
	output           string
	isSilent, forces bool
	get              Get
	in               *bufio.Reader
	out              io.Writer
}

// Command returns the command `sidehook init`. get asks the app which release it is.
func Command(get Get) *cobra.Command {
	s := &setup{get: get}
	command := &cobra.Command{
		Use:   "init",
		Short: "Write a first configuration and its secret",
		Long: `Write a first configuration and its secret: ask five questions, or take flags.
Where standard input is no terminal, or with --yes, it asks nothing: --app and
--to are needed, and the others have defaults.

It replaces a configuration only with --force, or if you say so, and a secret
never: one that is there is used.`,
		Example: `  sidehook init
  sidehook init --app http://127.0.0.1:5000 --to https://crm.example.org/hooks
  sidehook init --app http://limesurvey --profile limesurvey --to http://crm \
    --on completion --state /var/lib/sidehook --output /etc/sidehook/config.yaml`,
		SuggestFor: []string{"setup", "new", "configure"},
		Args:       cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.in, s.out = bufio.NewReader(cmd.InOrStdin()), cmd.OutOrStdout()
			s.isSilent = s.isSilent || !isTerminal(cmd.InOrStdin())
			return s.run(cmd.Context())
		},
	}
	flags := command.Flags()
	flags.StringVar(&s.app, "app", "", "`address` of the app")
	flags.StringVar(&s.profile, "profile", "", "`name` or path of its profile")
	flags.StringVar(&s.to, "to", "", "`URL` of the receiver")
	flags.StringSliceVar(&s.on, "on", nil, "`events` to send, separated by commas")
	flags.StringVar(&s.state, "state", "", "state `directory`, from the folder of the file")
	flags.StringVar(&s.output, "output", "config.yaml", "`file` to write")
	flags.BoolVar(&s.isSilent, "yes", false, "ask nothing")
	flags.BoolVar(&s.forces, "force", false, "replace the file, if there is one")
	return command
}

// isTerminal reports whether somebody can answer questions.
func isTerminal(in io.Reader) bool {
	terminal, mayBe := in.(interface{ IsTerminal() bool })
	return mayBe && terminal.IsTerminal()
}

func (s *setup) run(ctx context.Context) error {
	if err := s.mayWrite(); err != nil {
		return err
	}
	if err := s.complete(ctx); err != nil {
		return err
	}
	return s.write()
}

// mayWrite fails if the file is there, and not to be replaced.
func (s *setup) mayWrite() error {
	_, err := os.Lstat(s.output)
	switch {
	case errors.Is(err, os.ErrNotExist) || s.forces:
		return nil
	case err != nil:
		return fmt.Errorf("cannot write the configuration: %w", err)
	}
	if !s.isSilent {
		answer, err := s.ask(s.output+" is there already. Replace it? (yes or no)", "no")
		if err != nil {
			return err
		}
		if s.forces = answer == "yes" || answer == "y"; s.forces {
			return nil
		}
	}
	return fmt.Errorf("%s is there already: name another file with --output, or replace it with --force", s.output)
}

// complete asks for what no flag has said.
func (s *setup) complete(ctx context.Context) error {
	names := strings.Join(profiles.Names(), ", ")
	if err := s.fill(&s.app, "--app", "Where does the app listen?", defaultApp, true); err != nil {
		return err
	}
	found := s.probe(ctx)
	if found != "" {
		fmt.Fprintln(s.out, found)
	}
	events := make([]string, 0, len(config.EventNames()))
	for _, name := range config.EventNames() {
		events = append(events, string(name))
	}
	on := strings.Join(s.on, ",")
	for _, q := range []struct {
		value                    *string
		flag, question, fallback string
		isRequired               bool
	}{
		{&s.profile, "--profile", "Which app is it? " + names + ", or the path of a profile", "decsys", false},
		{&s.to, "--to", "Where do webhooks go? (a URL)", "", true},
		{&on, "--on", "Which events? " + strings.Join(events, ", "), defaultEvents, false},
		{&s.state, "--state", "Where does it keep its state? It must survive restarts", defaultState, false},
	} {
		if err := s.fill(q.value, q.flag, q.question, q.fallback, q.isRequired); err != nil {
			return err
		}
	}
	s.on = strings.FieldsFunc(on, func(c rune) bool { return c == ',' || c == ' ' })
	return nil
}

// fill asks for a value that no flag has set. A required one has to be set where
// nobody can be asked.
func (s *setup) fill(value *string, flag, question, fallback string, isRequired bool) (err error) {
	switch {
	case *value != "":
		return nil
	case !s.isSilent:
		*value, err = s.ask(question, fallback)
	case !isRequired:
		*value = fallback
	}
	if err == nil && *value == "" {
		return fmt.Errorf("%s is missing", flag)
	}
	return err
}

func (s *setup) ask(question, fallback string) (string, error) {
	fmt.Fprint(s.out, question)
	if fallback != "" {
		fmt.Fprintf(s.out, " [%s]", fallback)
	}
	fmt.Fprint(s.out, " ")
	line, err := s.in.ReadString('\n')
	line = strings.TrimSpace(line)
	switch {
	case line != "":
		return line, nil
	case err != nil:
		return "", errors.New("the answers ended: answer each question, or use flags")
	}
	return fallback, nil
}
