package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// errInline tells of a secret that stands in the file, without showing it.
var errInline = errors.New("must be env:NAME or file:PATH, which say where the secret is; the secret itself must not stand in this file")

// standIn is the secret where none is read.
const StandIn = "no secret, but something in its place"

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// sources is where the files and variables that a configuration refers to come from.
type sources struct {
	// folder is what relative paths start from.
	folder   string
	env      func(name string) (string, bool)
	readFile func(path string) ([]byte, error)
	// withoutSecrets puts standIn in the place of every secret, and reads no certificates.
	withoutSecrets bool
	// files are those that were read, and what was in them.
	files map[string]Digest
}

// path makes a relative path start from the folder of the configuration.
func (s *sources) path(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.folder, path)
}

// read returns the content of a file, or an error that names it.
func (s *sources) read(path string) ([]byte, error) {
	content, err := s.readFile(path)
	if err == nil {
		s.files[path] = sha256.Sum256(content)
		return content, nil
	}
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return nil, fmt.Errorf("the file %s cannot be read: %w", strictyaml.ShownPath(path), err)
}

// ReadSecret returns what env:NAME or file:PATH refers to, outside of a
// configuration; a relative path starts from where the process is.
func ReadSecret(reference string) (Secret, error) {
	return (&sources{env: os.LookupEnv, readFile: readRegular, files: map[string]Digest{}}).secret(reference)
}

// secret returns what a reference (env:NAME, file:PATH) refers to. Its errors
// show the reference only when it is one.
func (s *sources) secret(reference string) (Secret, error) {
	if name, found := strings.CutPrefix(reference, "env:"); found {
		return s.secretFromEnv(name)
	}
	if path, found := strings.CutPrefix(reference, "file:"); found {
		return s.secretFromFile(s.path(path))
	}
	return Secret{}, errInline
}

func (s *sources) secretFromEnv(name string) (Secret, error) {
	if !variableName.MatchString(name) {
		return Secret{}, errors.New("must name an environment variable after env: (letters, digits and _)")
	}
	if s.withoutSecrets {
		return NewSecret(StandIn), nil
	}
	text, found := s.env(name)
	if !found {
		return Secret{}, fmt.Errorf("the environment variable %s is not set", name)
	}
	return trimmedSecret(text, "the environment variable "+name)
}

func (s *sources) secretFromFile(path string) (Secret, error) {
	if path == "" {
		return Secret{}, errors.New("must be file: and a path")
	}
	if s.withoutSecrets {
		return NewSecret(StandIn), nil
	}
	content, err := s.read(path)
	if err != nil {
		return Secret{}, err
	}
	return trimmedSecret(string(content), "the file "+strictyaml.ShownPath(path))
}

// trimmedSecret drops the line breaks at the end of text, which editors, echo
// and the files of a Kubernetes Secret have and nobody means.
func trimmedSecret(text, from string) (Secret, error) {
	text = strings.TrimRight(text, "\r\n")
	if text == "" {
		return Secret{}, fmt.Errorf("%s is empty", from)
	}
	return NewSecret(text), nil
}

// readRegular reads a file of at most maxSource bytes. Pipes and devices may
// never end, so they are refused.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("is not a regular file")}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, strictyaml.MaxSource+1))
	if err == nil && len(content) > strictyaml.MaxSource {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("has more than %d bytes", strictyaml.MaxSource)}
	}
	return content, err
}
