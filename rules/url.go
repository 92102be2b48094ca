package rules

import (
	"errors"
	"log/slog"
	"net/url"
	"strconv"
)

// Errors of a target's address. They show nothing of it, as it may hold credentials.
var (
	errURL         = errors.New("must be an absolute http:// or https:// URL with a host, such as https://crm.example.org/hooks (yours is not shown)")
	errURLFragment = errors.New("must not have a #fragment: it would not be sent")
)

// URL is a target's address. It may hold credentials, in its userinfo, path or
// query, so it prints as scheme and host only.
type URL struct{ parsed url.URL }

// ParseURL takes an absolute http or https URL with a host.
func ParseURL(text string) (URL, error) {
	parsed, err := url.Parse(text)
	if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Hostname() == "" || !validPort(parsed.Port()) {
		return URL{}, errURL
	}
	if parsed.Fragment != "" {
		return URL{}, errURLFragment
	}
	return URL{parsed: *parsed}, nil
}

// validPort takes a number from 1 to 65535, or none.
func validPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && port > 0
}

// Reveal returns the whole URL. It must go nowhere but into a request.
func (u URL) Reveal() string { return u.parsed.String() }

// IsZero tells whether there is no URL.
func (u URL) IsZero() bool { return u.parsed.Host == "" }

// String names the URL without anything that could be a credential.
func (u URL) String() string { return u.parsed.Scheme + "://" + u.parsed.Host }

// GoString keeps credentials out of %#v.
func (u URL) GoString() string { return u.String() }

// LogValue keeps credentials out of slog.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalText keeps credentials out of every encoder.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

func (u *URL) unmarshalScalar(text string, _ bool) (err error) {
	*u, err = ParseURL(text)
	return err
}
