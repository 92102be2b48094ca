package config

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// Load reads the configuration file at path, with the secrets and files that it
// refers to. Relative paths in it start from its folder. The error holds all
// that is wrong, one problem a line; it never shows a secret or the credentials of a URL.
func Load(path string) (*Config, error) {
	source, err := readRegular(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return Parse(path, source, os.LookupEnv, readRegular)
}

// LoadWithoutSecrets is Load for somebody who only wants to know what would be
// sent: what secrets and certificates refer to is not read and need not be there.
// Something else stands in for every secret, so pseudonyms are others than in earnest.
func LoadWithoutSecrets(path string) (*Config, error) {
	source, err := readRegular(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return parse(path, source, sources{readFile: readRegular, withoutSecrets: true})
}

// Parse is Load for a source that was read already. name is the path of its
// file, to print and to start relative paths from; env and readFile give the
// variables and files it refers to.
func Parse(name string, source []byte, env func(string) (string, bool), readFile func(string) ([]byte, error)) (*Config, error) {
	return parse(name, source, sources{env: env, readFile: readFile})
}

func parse(name string, source []byte, from sources) (*Config, error) {
	config := defaults()
	from.folder, from.files = filepath.Dir(name), map[string]Digest{}
	c := checker{Document: strictyaml.DecodeStrict(name, source, &config), sources: from, config: &config}
	if c.Usable("") {
		c.check()
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	config.Files = c.files
	return &config, nil
}
