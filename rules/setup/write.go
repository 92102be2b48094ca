package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/terminal"
)

// write checks what the configuration will be, and writes it and its secret, which
// only the owner may read: a URL may hold a credential, too.
func (s *setup) write() error {
	secretPath := filepath.Join(filepath.Dir(s.output), secretName)
	secret, err := os.ReadFile(secretPath)
	isNew := errors.Is(err, fs.ErrNotExist)
	if isNew {
		secret, err = []byte(config.GenerateSecret().Reveal()+"\n"), nil
	}
	if err != nil {
		return fmt.Errorf("cannot read the secret: %w", err)
	}
	source := s.yaml()
	readFile := func(path string) ([]byte, error) {
		if isNew && filepath.Base(path) == secretName {
			return secret, nil
		}
		return os.ReadFile(path)
	}
	checked, err := config.Parse(s.output, source, os.LookupEnv, readFile)
	if err == nil {
		_, err = rules.LoadProfile(checked.Profile)
	}
	if err != nil {
		return fmt.Errorf("nothing is written, since that would be wrong:\n%w", err)
	}
	if isNew {
		if err := create(secretPath, secret); err != nil {
			return err
		}
	}
	if err := s.writeConfig(source); err != nil {
		return err
	}
	s.explain(secretPath, isNew, checked.Listen)
	return nil
}

// writeConfig writes the configuration. One that is replaced stays whole until the
// new one is.
func (s *setup) writeConfig(source []byte) error {
	if !s.forces {
		return create(s.output, source)
	}
	next := s.output + ".new"
	if err := create(next, source); err != nil {
		return err
	}
	if err := os.Rename(next, s.output); err != nil {
		return errors.Join(fmt.Errorf("cannot replace the configuration: %w", err), os.Remove(next))
	}
	return nil
}

// create writes a file that is not there yet. One that cannot be written whole is removed.
func create(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot create the file: %w", err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("cannot write %s: %w", path, err), os.Remove(path))
	}
	return nil
}

// explain prints what to do next.
func (s *setup) explain(secretPath string, isNew bool, listen string) {
	made := "was made"
	if !isNew {
		made = "was there, and is used"
	}
	output := terminal.Line(s.output)
	secretPath = terminal.Line(secretPath)
	fmt.Fprintf(s.out, `
%s is written. %s %s. Only you can read them.

  sidehook check %s            says what it does
  sidehook check --probe %s    says whether all is there that it needs
  sidehook run %s              serves participants at %s instead of the app

The receiver needs the secret in %s to verify what comes.
No receiver yet? This shows what one would get, if the target's url is its address:

  sidehook listen --port %s --secret file:%s
`, output, secretPath, made, output, output, output, listen, secretPath, s.port(), secretPath)
}

// port returns the port for a receiver to try it with: the one of the target, if
// that is on this machine.
func (s *setup) port() string {
	parsed, err := url.Parse(s.to)
	if err != nil {
		return "8787"
	}
	address, _ := netip.ParseAddr(parsed.Hostname())
	if isHere := address.IsLoopback() || parsed.Hostname() == "localhost"; isHere && parsed.Port() != "" {
		return parsed.Port()
	}
	return "8787"
}
