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
	"strconv"
	"strings"
	"unicode"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// errInline does not show the secret that is in the file.
var errInline = errors.New("must be env:NAME or file:PATH, a reference to the secret; the secret itself must not be in this file")

// StandIn takes the place of every secret in LoadWithoutSecrets.
const StandIn = "no secret, but something in its place"

// byteOrderMark is U+FEFF in UTF-8, with which some editors begin a file.
const byteOrderMark = "\xef\xbb\xbf"

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// sources reads the files and environment variables that a configuration refers to.
type sources struct {
	// folder is what relative paths start from.
	folder   string
	env      func(name string) (string, bool)
	readFile func(path string) ([]byte, error)
	// withoutSecrets replaces every secret by StandIn, and reads no certificates.
	withoutSecrets bool
	// files are those that were asked for; the digest of one that could not be read is zero.
	files map[string]Digest
}

// path resolves a relative path from the folder of the configuration.
func (s *sources) path(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.folder, path)
}

// read returns the content of a file, or an error that names it.
func (s *sources) read(path string) ([]byte, error) {
	s.files[path] = Digest{}
	content, err := s.readFile(path)
	if err == nil {
		s.files[path] = sha256.Sum256(content)
		return content, nil
	}
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return nil, fmt.Errorf("the file %s cannot be read: %w", shownPath(path), err)
}

// ReadSecret returns the secret that env:NAME or file:PATH refers to, outside of a
// configuration. A relative path starts from the working directory.
func ReadSecret(reference string) (Secret, error) {
	return (&sources{env: os.LookupEnv, readFile: readRegular, files: map[string]Digest{}}).secret(reference)
}

// secret returns the secret that a reference (env:NAME, file:PATH) refers to. Its
// errors show text only if it is a reference.
func (s *sources) secret(reference string) (Secret, error) {
	if name, found := strings.CutPrefix(reference, "env:"); found {
		return s.secretFromEnv(name)
	}
	if path, found := strings.CutPrefix(reference, "file:"); found {
		return s.secretFromFile(s.path(path))
	}
	return Secret{}, errInline
}

// isReference reports whether text refers to a secret, as far as its beginning tells.
func isReference(text string) bool {
	return strings.HasPrefix(text, "env:") || strings.HasPrefix(text, "file:")
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
		return Secret{}, errors.New("must be file: followed by a path")
	}
	if s.withoutSecrets {
		return NewSecret(StandIn), nil
	}
	content, err := s.read(path)
	if err != nil {
		return Secret{}, err
	}
	return trimmedSecret(string(content), "the file "+shownPath(path))
}

// trimmedSecret drops the line breaks at the end of text, which editors and echo
// add, and nobody means.
func trimmedSecret(text, from string) (Secret, error) {
	text = strings.TrimRight(text, "\r\n")
	if text == "" {
		return Secret{}, fmt.Errorf("%s is empty", from)
	}
	if mistake := mistakeAround(text); mistake != "" {
		return Secret{}, fmt.Errorf("%s %s", from, mistake)
	}
	return NewSecret(text), nil
}

// mistakeAround returns what editors, shells and env files leave around a secret
// that is not part of it; empty if there is nothing.
func mistakeAround(text string) string {
	first, last := text[0], text[len(text)-1]
	switch {
	case strings.HasPrefix(text, byteOrderMark):
		return "begins with a byte order mark; save it as UTF-8 without one"
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"):
		return "is in UTF-16; save it as UTF-8"
	case first == last && len(text) > 1 && strings.IndexByte("\"'`", first) >= 0:
		return "is in quotation marks; remove them"
	case strings.TrimSpace(text) != text:
		return "has blanks before or after the secret; remove them"
	case strings.ContainsFunc(text, isControl):
		return "has more than one line, or a control character; it must be the secret alone"
	default:
		return ""
	}
}

// maxShownPath is how many bytes of the path of a file an error shows.
const maxShownPath = 500

// shownPath shows the path of a file in an error, on one line.
func shownPath(path string) string {
	if len(path) > maxShownPath {
		return strconv.Quote(path[:maxShownPath]) + "..."
	}
	if strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(path)
	}
	return path
}

// readRegular reads a regular file of at most strictyaml.MaxSource bytes. Pipes and
// devices are refused, since they may never end.
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
