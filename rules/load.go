package rules

import (
	"fmt"
	"os"
	"path/filepath"
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

// Parse is Load for a source that was read already. name is the path of its
// file, to print and to start relative paths from; env and readFile give the
// variables and files it refers to.
func Parse(name string, source []byte, env func(string) (string, bool), readFile func(string) ([]byte, error)) (*Config, error) {
	config := defaults()
	c := checker{
		document: decodeStrict(name, source, &config),
		sources:  sources{folder: filepath.Dir(name), env: env, readFile: readFile, files: map[string]Digest{}},
		config:   &config,
	}
	if c.usable("") {
		c.check()
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	config.Files = c.files
	return &config, nil
}
