package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// Error is why a configuration was refused: all problems, one per line, each with
// file, line and column. It never shows a secret or the credentials of a URL.
type Error struct {
	// Files are those that the configuration refers to, readable or not. A change
	// to one of them may make the configuration valid.
	Files    []string
	problems error
}

func (e *Error) Error() string { return e.problems.Error() }

// Load reads the configuration file at path, with the secrets and files that it
// refers to. Relative paths in it start from its folder. A configuration that is
// refused gives an *Error.
func Load(path string) (*Config, error) {
	source, err := readRegular(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return Parse(path, source, os.LookupEnv, readRegular)
}

// LoadWithoutSecrets is Load for a dry run: secrets and certificates are not read
// and need not exist. StandIn takes the place of every secret, so pseudonyms differ
// from the real ones.
func LoadWithoutSecrets(path string) (*Config, error) {
	source, err := readRegular(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return parse(path, source, sources{readFile: readRegular, withoutSecrets: true})
}

// Parse is Load for a source that was already read. name is the path of its file,
// which problems begin with and relative paths start from; env and readFile return
// the environment variables and files that it refers to.
func Parse(name string, source []byte, env func(string) (string, bool), readFile func(string) ([]byte, error)) (*Config, error) {
	return parse(name, source, sources{env: env, readFile: readFile})
}

func parse(name string, source []byte, from sources) (*Config, error) {
	config := defaults()
	from.folder, from.files = filepath.Dir(name), map[string]Digest{}
	c := checker{Document: strictyaml.Decode(name, source, &config), sources: from, config: &config}
	if c.Usable("") {
		c.check()
	}
	if err := c.Err(); err != nil {
		return nil, &Error{Files: slices.Sorted(maps.Keys(c.files)), problems: err}
	}
	config.Files = c.files
	return &config, nil
}
